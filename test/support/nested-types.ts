import * as encoding from 'lib0/encoding';

/** How each type of a chain is put into the one before it. */
export type Nesting = 'by parent' | 'by origin' | 'by right origin';

interface ChainOptions {
  readonly clientId?: number;
  readonly nesting?: Nesting;
  /** Clock of the chain's first struct: above 0 it goes on with the chain that the client has left there. Default 0. */
  readonly start?: number;
  /** Whether the same update deletes the outermost type. */
  readonly deleted?: boolean;
}

/** How many clocks a type of such a chain takes. */
export const clocksPerType = (nesting: Nesting): number => (nesting === 'by parent' ? 1 : 2);

/**
 * An update of Y types in Y types. By parent each names the one before it; else each stands beside a letter that does, and names only that:
 * an item with a neighbour has no parent of its own on the wire.
 */
export function chained(depth: number, options: ChainOptions = {}): Uint8Array {
  const { clientId = 4_000, nesting = 'by origin', start = 0, deleted = false } = options;
  const encoder = encoding.createEncoder();
  const write = (...numbers: number[]) => {
    for (const number of numbers) encoding.writeVarUint(encoder, number);
  };
  const rooted = start === 0;
  write(1, (rooted ? depth - 1 : depth) * clocksPerType(nesting) + (rooted ? 1 : 0), clientId, start);
  if (rooted) {
    encoding.writeUint8(encoder, 7);
    write(1);
    encoding.writeVarString(encoder, 'chain');
    write(0);
  }
  let clock = rooted ? 1 : start;
  for (let index = rooted ? 1 : 0; index < depth; index++) {
    if (nesting === 'by parent') {
      encoding.writeUint8(encoder, 7);
      write(0, clientId, clock - 1, 0);
      clock += 1;
      continue;
    }
    encoding.writeUint8(encoder, 4);
    write(0, clientId, clock - 1);
    encoding.writeVarString(encoder, 'p');
    encoding.writeUint8(encoder, nesting === 'by origin' ? 0x87 : 0x47);
    write(clientId, clock, 0);
    clock += 2;
  }
  if (deleted) write(1, clientId, 1, 0, 1);
  else write(0);
  return encoding.toUint8Array(encoder);
}

/** Deletes the outermost type of a client's chain. */
export function chainDeleted(clientId = 4_000): Uint8Array {
  const encoder = encoding.createEncoder();
  for (const number of [0, 1, clientId, 1, 0, 1]) encoding.writeVarUint(encoder, number);
  return encoding.toUint8Array(encoder);
}
