import { importLater } from '../import-later.ts';
import type { LiveDocument } from './live-document.ts';

export type MakeLive = (...args: ConstructorParameters<typeof LiveDocument>) => LiveDocument;

let make: MakeLive | null = null;

/** Makes a live document at once; null: the code for it is not here yet. */
export function liveDocumentMaker(): MakeLive | null {
  return make;
}

/** A page that opens no document does not load what keeps one in step with the server. @throws what the loading throws: asked again, it is tried again */
export async function loadLiveDocument(): Promise<MakeLive> {
  const { LiveDocument } = await importLater(() => import('./live-document.ts'));
  make = (...args) => new LiveDocument(...args);
  return make;
}
