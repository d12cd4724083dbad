import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import type { Store } from '../../server/storage/store.ts';
import { againstModel } from './store-contract/against-model.ts';
import { appendContract } from './store-contract/append.ts';
import { type Context, makeContext, type StoreHome } from './store-contract/context.ts';
import { directoryContract } from './store-contract/directory.ts';
import { eraseContract } from './store-contract/erase.ts';
import { keptContract } from './store-contract/kept.ts';
import { logContract } from './store-contract/log.ts';
import { quarantineContract } from './store-contract/quarantine.ts';

/** What every Store must do: run it on each implementation. */
export function storeContract(name: string, makeHome: () => Promise<StoreHome>): void {
  describe(`the Store contract on ${name}`, () => {
    let home: StoreHome;
    let store: Store;
    let context: Context;
    let tests = 0;
    beforeAll(async () => {
      home = await makeHome();
      store = await home.open();
    });
    afterAll(async () => {
      await home[Symbol.asyncDispose]();
    });
    beforeEach(() => {
      tests += 1;
      context = makeContext(home, store, tests);
    });
    const current = () => context;

    appendContract(current);
    logContract(current);
    keptContract(current);
    quarantineContract(current);
    directoryContract(current);
    eraseContract(current);
    againstModel(current);
  });
}
