import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';

/** Ten bytes that decode, merge, give a state vector and a diff, and make every later load throw: an item that is its own origin's past. */
export const BRICK: Uint8Array = Uint8Array.from(Buffer.from('01010900840905017800', 'hex'));

/**
 * A conflict bomb: inserts without origin, each with a right origin of its own, which Yjs compares with one another. 8,000 take minutes.
 * @returns an honest text of `inserts` letters by client 1, and the bomb of client 2 on it
 */
export function conflictBomb(inserts: number): { readonly text: Uint8Array; readonly bomb: Uint8Array } {
  const { text, portions } = conflictPortions(inserts, inserts);
  return { text, bomb: portions[0]! };
}

/** A conflict bomb in portions of `size` inserts each, which follow one another. */
export function conflictPortions(inserts: number, size: number): { readonly text: Uint8Array; readonly portions: Uint8Array[] } {
  const doc = new Y.Doc();
  doc.clientID = 1;
  doc.getText('text').insert(0, 'x'.repeat(inserts));
  const starts = Array.from({ length: inserts / size }, (_, index) => index * size);
  return { text: Y.encodeStateAsUpdate(doc), portions: starts.map((start) => conflicts(start, size)) };
}

function conflicts(start: number, count: number): Uint8Array {
  const encoder = new Y.UpdateEncoderV1();
  encoding.writeVarUint(encoder.restEncoder, 1);
  encoding.writeVarUint(encoder.restEncoder, count);
  encoder.writeClient(2);
  encoding.writeVarUint(encoder.restEncoder, start);
  for (let clock = start; clock < start + count; clock += 1) {
    encoder.writeInfo(0b0100_0100); // a string with a right origin
    encoder.writeRightID(Y.createID(1, clock));
    encoder.writeString('b');
  }
  encoding.writeVarUint(encoder.restEncoder, 0);
  return encoder.toUint8Array();
}

/** Small on the wire, large in memory: collected structs of one clock each, two bytes apiece. */
export function memoryBomb(structs: number): Uint8Array {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, 1);
  encoding.writeVarUint(encoder, structs);
  encoding.writeVarUint(encoder, 3);
  encoding.writeVarUint(encoder, 0);
  for (let clock = 0; clock < structs; clock += 1) {
    encoding.writeUint8(encoder, 0);
    encoding.writeVarUint(encoder, 1);
  }
  encoding.writeVarUint(encoder, 0);
  return encoding.toUint8Array(encoder);
}
