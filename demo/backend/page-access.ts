import type { Access, AccessClaim, RealtimeServer } from 'ashlar/server';
import { findPerson, PEOPLE } from '../people.ts';

/** Who may do what on the pages: as the tokens say, and above that as it was decided here. */
export interface PageAccess {
  /** By person. */
  of(page: string): Promise<Readonly<Record<string, Access>>>;
  set(page: string, userId: string, level: Access): Promise<void>;
}

/** A backend document: tokens of the demo open no `doc:backend-…`. */
const DOCUMENT = 'backend-access';

/** Grants, and a record of them: as a product keeps in its own database who may do what. */
export async function createPageAccess(realtime: RealtimeServer): Promise<PageAccess> {
  const { documents } = realtime;
  await documents.create(DOCUMENT);
  return {
    async of(page) {
      const doc = await documents.read(DOCUMENT);
      const decided = doc.getMap<Access>('levels').toJSON() as Record<string, Access>;
      doc.destroy();
      return Object.fromEntries(PEOPLE.map(({ id }) => [id, decided[keyOf(page, id)] ?? claimedBy(id, page)]));
    },
    async set(page, userId, level) {
      await realtime.grant(userId, `doc:${page}`, level);
      await documents.transact(DOCUMENT, (doc) => void doc.getMap<Access>('levels').set(keyOf(page, userId), level));
    },
  };
}

/** What somebody's token says of a page. */
export function claimedBy(userId: string, page: string): Access {
  const access: AccessClaim = findPerson(userId)?.access ?? {};
  return access[`doc:${page}`] ?? access['doc:*'] ?? access['*'] ?? 'none';
}

function keyOf(page: string, userId: string): string {
  return `${page} ${userId}`;
}
