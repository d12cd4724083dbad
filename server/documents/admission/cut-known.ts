import * as encoding from 'lib0/encoding';
import { CONTENT, scanAny } from './scan-content.ts';
import { scanJsonOrUndefined } from './scan-json.ts';
import { INFO, type ScannedBlock, type ScannedUpdate } from './scan-update.ts';
import { WireReader } from './wire-reader.ts';

/**
 * The update without the structs that are known: members ignore other content at known clocks, but merged bytes take it.
 * Everything new keeps its bytes; an item that is known in part is written as Yjs writes the rest of an item.
 * @returns bytes of their own, delete set included
 */
export function cutKnown(update: Uint8Array, scanned: ScannedUpdate): Uint8Array {
  const blocks = scanned.blocks.filter((block) => block.newStructs > 0);
  if (blocks.length === scanned.blocks.length && blocks.every((block) => block.start === block.known)) {
    return new Uint8Array(update);
  }
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, blocks.length);
  for (const block of blocks) {
    encoding.writeVarUint(encoder, block.newStructs);
    encoding.writeVarUint(encoder, block.clientId);
    encoding.writeVarUint(encoder, block.known);
    let from = block.newAt;
    if (block.firstNewClock < block.known) {
      writeRest(encoder, update, block);
      from = block.firstNewEndsAt;
    }
    encoding.writeUint8Array(encoder, update.subarray(from, block.endsAt));
  }
  encoding.writeUint8Array(encoder, update.subarray(scanned.deletesAt));
  return new Uint8Array(encoding.toUint8Array(encoder));
}

/** Writes what of a block's first new struct lies at or after the known clock. */
function writeRest(encoder: encoding.Encoder, update: Uint8Array, block: ScannedBlock): void {
  const reader = new WireReader(update, block.newAt);
  const known = block.known - block.firstNewClock;
  const info = reader.byte();
  if (info === CONTENT.gc) {
    encoding.writeUint8(encoder, info);
    encoding.writeVarUint(encoder, reader.uint() - known);
    return;
  }
  // The rest hangs on the item's own last known unit, and takes its parent and key from there.
  const content = info & INFO.content;
  encoding.writeUint8(encoder, content | INFO.origin | (info & INFO.rightOrigin));
  encoding.writeVarUint(encoder, block.clientId);
  encoding.writeVarUint(encoder, block.known - 1);
  if ((info & INFO.origin) !== 0) {
    reader.uint();
    reader.uint();
  }
  if ((info & INFO.rightOrigin) !== 0) {
    encoding.writeVarUint(encoder, reader.uint());
    encoding.writeVarUint(encoder, reader.uint());
  }
  if ((info & (INFO.origin | INFO.rightOrigin)) === 0) {
    if (reader.uint() === 1) {
      reader.skipBytes();
    } else {
      reader.uint();
      reader.uint();
    }
    if ((info & INFO.parentSub) !== 0) reader.skipBytes();
  }
  const length = reader.uint();
  if (content === CONTENT.deleted) {
    encoding.writeVarUint(encoder, length - known);
  } else if (content === CONTENT.string) {
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(update.subarray(reader.pos, reader.pos + length));
    // Half of a surrogate pair is written as U+FFFD, as in Yjs.
    encoding.writeVarString(encoder, text.slice(known));
  } else {
    // Values; all other content is one clock long and so never known in part.
    for (let index = 0; index < known; index++) {
      if (content === CONTENT.any) scanAny(reader, 0);
      else scanJsonOrUndefined(reader);
    }
    encoding.writeVarUint(encoder, length - known);
    encoding.writeUint8Array(encoder, update.subarray(reader.pos, block.firstNewEndsAt));
  }
}
