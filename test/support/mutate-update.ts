import * as encoding from 'lib0/encoding';

/** A source of numbers from 0 up to, not including, `below`. */
export type Draw = (below: number) => number;

/** A repeatable source (mulberry32). */
export function drawFrom(seed: number): Draw {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** One to three random changes to bytes: bits flipped, bytes set, cut out, doubled, the tail cut, another update's bytes put in. */
export function mutateBytes(draw: Draw, update: Uint8Array, other: Uint8Array): Uint8Array {
  let bytes = [...update];
  for (let changes = 1 + draw(3); changes > 0; changes--) {
    const at = draw(bytes.length + 1);
    switch (draw(7)) {
      case 0:
        bytes[at % bytes.length] = (bytes[at % bytes.length] as number) ^ (1 << draw(8));
        break;
      case 1:
        bytes[at % bytes.length] = draw(256);
        break;
      case 2:
        // Small numbers are what lengths, counts and clocks are made of.
        bytes[at % bytes.length] = draw(12);
        break;
      case 3:
        bytes.splice(at, 1 + draw(4));
        break;
      case 4:
        bytes.splice(at, 0, ...bytes.slice(at, at + 1 + draw(8)));
        break;
      case 5:
        bytes = bytes.slice(0, at);
        break;
      default: {
        const from = draw(other.length);
        bytes.splice(at, draw(8), ...other.slice(from, from + 1 + draw(16)));
      }
    }
    if (bytes.length === 0) return new Uint8Array([0, 0]);
  }
  return new Uint8Array(bytes);
}

/**
 * An update of random structs that keeps the wire's form: ids, parents and contents of every kind, pointing anywhere in what is known
 * and a little beyond.
 * @param own client ids that it writes under
 */
export function generateUpdate(draw: Draw, known: ReadonlyMap<number, number>, own: readonly number[]): Uint8Array {
  const encoder = encoding.createEncoder();
  const uint = (value: number) => encoding.writeVarUint(encoder, value);
  const text = (value: string) => encoding.writeVarString(encoder, value);
  const json = (value: unknown) => text(JSON.stringify(value));
  const clients = own.filter((_, index) => index === 0 || draw(2) === 0).sort((a, b) => b - a);
  const everyone = [...known.keys(), ...own];
  const rare = () => draw(40) === 0;
  uint(clients.length);
  for (const clientId of clients) {
    const count = 1 + draw(6);
    uint(count);
    uint(clientId);
    let clock = Math.max(0, (known.get(clientId) ?? 0) - (draw(5) === 0 ? draw(4) : 0) + (rare() ? 1 : 0));
    uint(clock);
    const drawId = (): readonly [client: number, clock: number] => {
      const client = draw(2) === 0 ? clientId : (everyone[draw(everyone.length)] as number);
      const next = client === clientId ? clock : (known.get(client) ?? 0) + (clients.includes(client) ? draw(4) : 0);
      return [client, draw(Math.max(1, next)) + (rare() ? 1 : 0)];
    };
    const id = ([client, at] = drawId()) => {
      uint(client);
      uint(at);
    };
    for (let index = 0; index < count; index++) {
      const ref = [0, 1, 2, 3, 4, 4, 4, 5, 6, 6, 7, 7, 8, 8][draw(14)] as number;
      if (ref === 0) {
        const length = 1 + draw(3);
        uint(rare() ? 10 : 0);
        uint(length);
        clock += length;
        continue;
      }
      const origin = draw(2) === 0 && clock + known.size > 0;
      const right = draw(3) === 0 && clock + known.size > 0;
      const sub = draw(4) === 0;
      encoding.writeUint8(encoder, ref | (origin ? 128 : 0) | (right ? 64 : 0) | (sub ? 32 : 0));
      const left = drawId();
      if (origin) id(left);
      // Between an item and itself only sometimes: that is refused, and all behind it unread.
      let next = drawId();
      for (let tries = 0; origin && String(next) === String(left) && tries < 8; tries++) next = drawId();
      if (right) id(next);
      if (!origin && !right) {
        const named = clock === 0 || draw(2) === 0;
        uint(named ? 1 : 0);
        if (named) text(['text', 'array', 'map', 'xml'][draw(4)] as string);
        else id();
        if (sub) text(['key0', 'key1', 'align'][draw(3)] as string);
      }
      let length = 1;
      switch (ref) {
        case 1:
          length = 1 + draw(3);
          uint(length);
          break;
        case 2:
          length = 1 + draw(3);
          uint(length);
          for (let value = 0; value < length; value++) draw(4) === 0 ? text('undefined') : json([value, { a: null }]);
          break;
        case 3:
          encoding.writeVarUint8Array(encoder, new Uint8Array(draw(3)));
          break;
        case 4: {
          const value = ['x', 'ab', 'é✓', 'long text', '𝄞'][draw(5)] as string;
          length = value.length;
          text(value);
          break;
        }
        case 5:
          json(draw(3) === 0 ? null : { image: 'x' });
          break;
        case 6:
          text(['bold', 'italic'][draw(2)] as string);
          json([null, true, { href: 'x' }][draw(3)]);
          break;
        case 7: {
          const type = draw(7);
          uint(type);
          if (type === 3 || type === 5) text('p');
          break;
        }
        default:
          length = 1 + draw(3);
          uint(length);
          for (let value = 0; value < length; value++)
            encoding.writeAny(encoder, [1, 'x', null, undefined, { a: [true] }][draw(5)] as never);
      }
      clock += length;
    }
  }
  const deleters = everyone.filter(() => draw(4) === 0).filter((client, index, all) => all.indexOf(client) === index);
  uint(deleters.length);
  for (const client of deleters) {
    const end = Math.max(1, known.get(client) ?? 0);
    const from = draw(end);
    uint(client);
    uint(1);
    uint(from);
    uint(1 + draw(end - from) + (rare() ? 1 : 0));
  }
  return encoding.toUint8Array(encoder);
}
