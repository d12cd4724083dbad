import { createClient } from 'ashlar/client';
import { signToken } from '../clients/sign-token.ts';
import type { OpenOwnClient } from './own-client.ts';

export const open: OpenOwnClient = async ({ port, document, user, onFailure }) => {
  const onError = (error: unknown): void => onFailure(error instanceof Error ? error : new Error(String(error)));
  const client = createClient({ url: `http://127.0.0.1:${port}`, token: signToken(user), onError });
  await client.connect();
  const handle = client.document(document);
  handle.on('error', onFailure);
  handle.on('reset', ({ reason }) => onFailure(new Error(`reset: ${reason}`)));
  await handle.whenSynced;
  return {
    doc: handle.doc,
    async whenSaved() {
      await handle.whenSaved();
      if (handle.unsavedChanges.get() !== 0) throw new Error(`${handle.unsavedChanges.get()} unsaved`);
    },
  };
};
