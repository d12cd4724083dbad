import { createClient } from 'ashlar/client';
import { fetchToken } from '../sign-in/fetch-token.ts';
import { KEPT } from './kept-documents.ts';

/**
 * What this browser keeps of somebody's documents that the server has not, or did not take, whichever tab it was made in, also one that is
 * closed by now. A client of its own, which never connects, reads it afresh: another tab's refused edits do not come to a document that is open.
 * @returns names of those asked for
 */
export async function unsavedInStorage(userId: string, names: readonly string[]): Promise<readonly string[]> {
  const reader = createClient({ token: () => fetchToken(userId), userId, warnBeforeUnload: false });
  try {
    const handles = names.map((name) => reader.document(name, KEPT));
    // A browser that keeps nothing has nothing to lose.
    for (const handle of handles) handle.on('error', () => {});
    await Promise.all(handles.map(({ whenLoaded }) => whenLoaded));
    return handles.filter(({ unsaved, unsavedChanges }) => unsaved !== null || unsavedChanges.get() > 0).map(({ name }) => name);
  } finally {
    reader.destroy();
  }
}
