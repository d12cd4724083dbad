import type { DocumentHandle } from '../../client/index.ts';
import { when } from './sdk.ts';

const MARKS = 'marks';

export interface MarkedMember {
  readonly user: string;
  readonly handle: DocumentHandle;
}

/**
 * Everyone writes a mark and waits for everyone's: what a member wrote before its mark comes before it. The second time round brings also
 * what Yjs and bindings wrote when others' changes came (formats tidied up, content that a schema forbids).
 */
export async function exchangeMarks(members: readonly MarkedMember[]): Promise<void> {
  for (const round of [1, 2]) {
    for (const { user, handle } of members) handle.doc.getMap<number>(MARKS).set(user, round);
    await Promise.all(members.map(({ handle }) => handle.whenSynced));
    await Promise.all(members.map(({ handle }) => handle.whenSaved()));
    await Promise.all(members.flatMap(({ handle }) => members.map(({ user }) => seesMark(handle, user, round))));
  }
  await Promise.all(members.map(({ handle }) => handle.whenSaved()));
}

function seesMark({ doc }: DocumentHandle, user: string, round: number): Promise<void> {
  const marks = doc.getMap<number>(MARKS);
  return when(
    (listener) => {
      doc.on('update', listener);
      return () => doc.off('update', listener);
    },
    () => (marks.get(user) ?? 0) >= round,
  );
}
