import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import type { DocumentLog } from './compact.ts';
import { type DeleteSet, subtractDeletes, unionDeletes, writeDeleteSet } from './delete-set.ts';

type Struct = ReturnType<typeof Y.decodeUpdate>['structs'][number];

/**
 * A full step repeats all deletions that its sender knows. Cuts those that the log has.
 * @param update whose known structs have been cut away
 * @returns the update with its structs and its new deletions; null where it has neither
 */
export function novelDeletes({ state, updates }: DocumentLog, update: Uint8Array): Uint8Array | null {
  const known = unionDeletes([...(state === null ? [] : [state]), ...updates].map(deletesIn));
  const { structs, ds } = Y.decodeUpdate(update);
  const novel = subtractDeletes(ds.clients, known);
  return structs.length === 0 && novel.size === 0 ? null : encodeUpdate(structs, novel);
}

/** What an update deletes: its delete set, and structs that carry no content any more. */
function deletesIn(update: Uint8Array): DeleteSet {
  const { structs, ds } = Y.decodeUpdate(update);
  const gone = new Map<number, { clock: number; len: number }[]>();
  for (const struct of structs) {
    if (!(struct instanceof Y.GC || (struct instanceof Y.Item && struct.content instanceof Y.ContentDeleted))) continue;
    const ranges = gone.get(struct.id.client);
    const range = { clock: struct.id.clock, len: struct.length };
    if (ranges === undefined) gone.set(struct.id.client, [range]);
    else ranges.push(range);
  }
  return unionDeletes([ds.clients, gone]);
}

/** @param structs in the order in which they were decoded: by client, then by clock, without holes */
function encodeUpdate(structs: readonly Struct[], deletes: DeleteSet): Uint8Array {
  const encoder = new Y.UpdateEncoderV1();
  const blocks: Struct[][] = [];
  for (const struct of structs) {
    const block = blocks.at(-1);
    if (block !== undefined && block[0]!.id.client === struct.id.client) block.push(struct);
    else blocks.push([struct]);
  }
  encoding.writeVarUint(encoder.restEncoder, blocks.length);
  for (const block of blocks) {
    const { client, clock } = block[0]!.id;
    encoding.writeVarUint(encoder.restEncoder, block.length);
    encoder.writeClient(client);
    encoding.writeVarUint(encoder.restEncoder, clock);
    for (const struct of block) struct.write(encoder, 0);
  }
  writeDeleteSet(encoder.restEncoder, deletes);
  return encoder.toUint8Array();
}
