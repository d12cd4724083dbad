import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { FormerIds } from '../../client/documents/former-ids.ts';
import { Outbox } from '../../client/documents/outbox.ts';
import { DocumentKeeper } from '../../client/offline/document-keeper.ts';
import { SimulatedTime } from '../support/document-simulation.ts';

function typed(clientId: number, text: string): Uint8Array {
  const doc = new Y.Doc();
  doc.clientID = clientId;
  doc.getText('text').insert(0, text);
  return Y.encodeStateAsUpdate(doc);
}

test('[1] edits that another page left stay stored until they are on the server’s disk, not as soon as some are', async () => {
  const time = new SimulatedTime();
  const doc = new Y.Doc();
  const outbox = new Outbox();
  const session = {
    outbox,
    formerIds: new FormerIds(),
    place: null,
    resume: () => {},
    localUpdate: (update: Uint8Array) => outbox.add(update),
  };
  const removed: [clientId: number, through: number][] = [];
  const stored = {
    origin: {},
    generation: 1,
    load: async () => ({ place: null, edits: [{ clientId: 8, ordinal: 3, update: typed(8, 'left behind') }], refused: null }),
    addEdit: () => {},
    removeEdits: (clientId: number, through: number) => removed.push([clientId, through]),
    close: () => {},
  };
  const document = { room: 'doc:x', doc, session, keptOrigins: new Set(), unsaved: null };
  const keeper = new DocumentKeeper('ada', document as never, stored as never, { after: time.after.bind(time) } as never);
  outbox.add(typed(7, 'mine'));
  await keeper.load({ tabs: () => null } as never);
  outbox.number(0);
  outbox.number(0);
  outbox.acknowledge(1);
  keeper.changed();
  expect(removed).toEqual([[doc.clientID, 1]]);
  outbox.acknowledge(2);
  keeper.changed();
  expect(removed.slice(1)).toEqual([
    [doc.clientID, 2],
    [8, 3],
  ]);
  keeper.close();
  doc.destroy();
});
