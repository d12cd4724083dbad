import type { Page } from 'playwright-core';

/** Resolves once all that the page has written is on disk: IndexedDB runs what shares a store in order. @returns the edits that wait */
export function written(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const settled = <Result>(wish: IDBRequest<Result>) =>
      new Promise<Result>((resolve, reject) => {
        wish.onsuccess = () => resolve(wish.result);
        wish.onerror = () => reject(wish.error);
      });
    let waiting = 0;
    for (const { name } of await indexedDB.databases()) {
      if (!name?.startsWith('ashlar:')) continue;
      const db = await settled(indexedDB.open(name));
      waiting += await settled(db.transaction(['updates', 'edits']).objectStore('edits').count());
      db.close();
    }
    return waiting;
  });
}

/** @returns how many documents' refused edits are kept, once what the page has asked for before is done */
export function refusedKept(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const settled = <Result>(wish: IDBRequest<Result>) =>
      new Promise<Result>((resolve, reject) => {
        wish.onsuccess = () => resolve(wish.result);
        wish.onerror = () => reject(wish.error);
      });
    const registry = await settled(indexedDB.open('ashlar'));
    const entries: IDBRequest<{ refused: Uint8Array | null }[]> = registry
      .transaction('documents')
      .objectStore('documents')
      .getAll();
    const refused = (await settled(entries)).filter((entry) => entry.refused !== null).length;
    registry.close();
    return refused;
  });
}
