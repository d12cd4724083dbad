import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import type { Admission } from '../../server/documents/admission/admit-update.ts';

/** Writes `victim` under this id before the attacker comes: `VICTIM_UPDATE`. */
export const VICTIM = 1_000;
/** The attacker's own id; it has written `mine` before: `SENDER_UPDATE`. */
export const SENDER = 2_000;
/** Nobody's id. */
export const NOBODY = 3_000;

type Verdict = Admission extends infer One
  ? One extends Admission
    ? Pick<One, Extract<keyof One, 'verdict' | 'code' | 'rule'>>
    : never
  : never;

/** An update that a hostile client sends, well formed as far as its purpose allows, and what must become of it. */
export interface HostileUpdate {
  /** What it tries, as the end of a test's name. */
  readonly name: string;
  readonly update: Uint8Array;
  readonly expected: Verdict;
  /** What the whole document's text reads afterwards; without it: `victimmine`. */
  readonly text?: string;
}

/** A struct as Yjs V1 writes it: its info byte, then whatever follows. */
type Struct = readonly [info: number, ...fields: Field[]];
/** A number is a varUint, a string its length and UTF-8, bytes go as they are. */
type Field = number | string | Uint8Array;

interface Block {
  readonly client: number;
  readonly clock: number;
  readonly structs: readonly Struct[];
  /** The count that it claims; left out: the truth. */
  readonly claims?: number;
}

interface Deletes {
  readonly client: number;
  readonly ranges: readonly (readonly [clock: number, length: number])[];
}

/** Encodes an update (V1) exactly as told, wrong or not. */
export function encodeUpdate(blocks: readonly Block[], deletes: readonly Deletes[] = []): Uint8Array {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, blocks.length);
  for (const { client, clock, structs, claims } of blocks) {
    encoding.writeVarUint(encoder, claims ?? structs.length);
    encoding.writeVarUint(encoder, client);
    encoding.writeVarUint(encoder, clock);
    for (const [info, ...fields] of structs) {
      encoding.writeUint8(encoder, info);
      for (const field of fields) {
        if (typeof field === 'number') encoding.writeVarUint(encoder, field);
        else if (typeof field === 'string') encoding.writeVarString(encoder, field);
        else encoding.writeUint8Array(encoder, field);
      }
    }
  }
  encoding.writeVarUint(encoder, deletes.length);
  for (const { client, ranges } of deletes) {
    encoding.writeVarUint(encoder, client);
    encoding.writeVarUint(encoder, ranges.length);
    for (const [clock, length] of ranges) {
      encoding.writeVarUint(encoder, clock);
      encoding.writeVarUint(encoder, length);
    }
  }
  return encoding.toUint8Array(encoder);
}

const GC = 0;
const DELETED = 1;
const JSON_VALUES = 2;
const STRING = 4;
const EMBED = 5;
const FORMAT = 6;
const TYPE = 7;
const ANY = 8;
const DOC = 9;
const SKIP = 10;
const SUB = 0x20;
const RIGHT = 0x40;
const ORIGIN = 0x80;
/** A parent that is a root type. */
const ROOT = 1;

const bytes = (...values: number[]) => new Uint8Array(values);
const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
/** One block of the sender's, right behind what it has written. */
const mine = (structs: readonly Struct[], deletes: readonly Deletes[] = []) =>
  encodeUpdate([{ client: SENDER, clock: 4, structs }], deletes);
/** The sender's next letter, harmless by itself. */
const letter: Struct = [STRING | ORIGIN, SENDER, 3, 'x'];

export const VICTIM_UPDATE = encodeUpdate([{ client: VICTIM, clock: 0, structs: [[STRING, ROOT, 'text', 'victim']] }]);
export const SENDER_UPDATE = encodeUpdate([{ client: SENDER, clock: 0, structs: [[STRING | ORIGIN, VICTIM, 5, 'mine']] }]);

/** The text of a document whose log holds these updates, in the root that all of them write to. */
export function textAfter(updates: readonly Uint8Array[]): string {
  const doc = new Y.Doc();
  for (const update of updates) Y.applyUpdate(doc, update);
  return doc.getText('text').toString();
}

function v2Update(): Uint8Array {
  const doc = new Y.Doc();
  doc.clientID = SENDER;
  doc.getText('text').insert(0, 'version two');
  return Y.encodeStateAsUpdateV2(doc);
}

const nestedAny = (depth: number) => bytes(...Array.from({ length: depth }, () => [117, 1]).flat(), 126);
const nestedJson = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
const anyKey = (key: string) => bytes(118, 1, key.length, ...Buffer.from(key), 126);
const refused = (rule: number): Verdict => ({ verdict: 'refused', code: 'invalid-update', rule });
const foreign: Verdict = { verdict: 'refused', code: 'foreign-client-id', rule: 9 };
const gap: Verdict = { verdict: 'gap' };

/** Types in types, each the first child of the one before. */
function nestedTypes(depth: number): Struct[] {
  return Array.from(
    { length: depth },
    (_, index): Struct => (index === 0 ? [TYPE, ROOT, 'text', 0] : [TYPE, 0, SENDER, 3 + index, 0]),
  );
}

/** Types in types, each beside a letter that alone names the one before as its parent. */
function typesBeside(depth: number, neighbour: typeof ORIGIN | typeof RIGHT): Struct[] {
  const structs: Struct[] = [[TYPE, ROOT, 'text', 0]];
  for (let clock = 5; structs.length < 2 * depth - 1; clock += 2) {
    structs.push([STRING, 0, SENDER, clock - 1, 'p'], [TYPE | neighbour, SENDER, clock, 0]);
  }
  return structs;
}

/** Inserts without origin before each letter of a text: each is searched for among all before it. */
function conflictBomb(inserts: number): Uint8Array {
  const structs: Struct[] = [[STRING, ROOT, 'bomb', 'a'.repeat(inserts)]];
  for (let index = 0; index < inserts; index++) structs.push([STRING | RIGHT, SENDER, 4 + index, 'x']);
  return mine(structs);
}

/** Sent by the owner of `SENDER` to a document that holds `VICTIM_UPDATE` and `SENDER_UPDATE`. */
export const HOSTILE_UPDATES: readonly HostileUpdate[] = [
  // Rule 1
  { name: 'no bytes at all', update: bytes(), expected: refused(1) },
  {
    name: 'clients in ascending order',
    update: encodeUpdate([
      { client: SENDER, clock: 4, structs: [letter] },
      { client: SENDER + 1, clock: 0, structs: [[GC, 1]] },
    ]),
    expected: refused(1),
  },
  {
    name: 'a client twice',
    update: encodeUpdate([
      { client: SENDER, clock: 4, structs: [letter] },
      { client: SENDER, clock: 5, structs: [[GC, 1]] },
    ]),
    expected: refused(1),
  },
  { name: 'a client without structs', update: encodeUpdate([{ client: SENDER, clock: 4, structs: [] }]), expected: refused(1) },
  { name: 'an update that ends in its content', update: mine([letter]).subarray(0, 9), expected: refused(1) },
  {
    name: 'a string that is longer than the update',
    update: mine([[STRING | ORIGIN, SENDER, 3, 200, bytes(0x78)]]),
    expected: refused(1),
  },
  { name: 'a number with needless bytes', update: hex('0101898080800000840905017800'), expected: refused(1) },
  {
    name: 'a number of zeros without end, which lib0 reads as NaN',
    update: bytes(...new Array(300).fill(0x80), 0),
    expected: refused(3),
  },
  { name: 'format V2', update: v2Update(), expected: refused(8) },
  // Rule 2
  { name: '8 bytes that claim 268 million structs', update: hex('01ffffff7f090000'), expected: refused(2) },
  { name: 'more clients than bytes', update: hex('ffffff7f'), expected: refused(2) },
  { name: 'more clients of deletes than bytes', update: hex('00ffffff7f'), expected: refused(2) },
  { name: 'more delete ranges than bytes', update: hex('000109ffffff7f'), expected: refused(2) },
  {
    name: 'one struct more than it has',
    update: encodeUpdate([{ client: SENDER, clock: 4, structs: [letter], claims: 2 }]),
    expected: refused(1),
  },
  // Rule 3
  { name: 'the 7-byte GC without length', update: hex('01010900000000'), expected: refused(3) },
  { name: 'a GC without length behind its own clocks', update: mine([[GC, 0]]), expected: refused(3) },
  { name: 'an empty string', update: mine([[STRING | ORIGIN, SENDER, 3, '']]), expected: refused(3) },
  { name: 'deleted content without length', update: mine([[DELETED | ORIGIN, SENDER, 3, 0]]), expected: refused(3) },
  { name: 'no values', update: mine([[ANY | ORIGIN, SENDER, 3, 0]]), expected: refused(3) },
  { name: 'no JSON values', update: mine([[JSON_VALUES | ORIGIN, SENDER, 3, 0]]), expected: refused(3) },
  { name: 'a Skip without length', update: mine([[SKIP, 0], letter]), expected: refused(3) },
  { name: 'a length that takes the clock above 2^32', update: mine([[GC, 2 ** 32 - 3]]), expected: refused(3) },
  {
    name: 'a first clock above 2^32',
    update: encodeUpdate([{ client: SENDER, clock: 2 ** 40, structs: [[GC, 1]] }]),
    expected: refused(3),
  },
  {
    name: 'a clock above 2^53',
    update: bytes(1, 1, 9, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0, 1, 0),
    expected: refused(3),
  },
  {
    name: 'a delete range that ends above 2^32',
    update: encodeUpdate([], [{ client: SENDER, ranges: [[1, 2 ** 32]] }]),
    expected: refused(3),
  },
  // Rule 4
  { name: 'a GC with flags', update: mine([[GC | SUB, 1]]), expected: refused(4) },
  { name: 'a Skip with flags', update: mine([[SKIP | ORIGIN, SENDER, 3, 1]]), expected: refused(4) },
  { name: 'content 11', update: mine([[11 | ORIGIN, SENDER, 3, 1]]), expected: refused(4) },
  { name: 'content 31', update: mine([[31 | ORIGIN, SENDER, 3, 1]]), expected: refused(4) },
  { name: 'type 7', update: mine([[TYPE | ORIGIN, SENDER, 3, 7]]), expected: refused(4) },
  { name: 'a parent that is neither a name nor an id', update: mine([[STRING, 2, SENDER, 0, 'x']]), expected: refused(4) },
  { name: 'an unknown kind of value', update: mine([[ANY | ORIGIN, SENDER, 3, 1, bytes(1)]]), expected: refused(4) },
  { name: 'a subdocument', update: mine([[DOC | ORIGIN, SENDER, 3, 'guid', bytes(118, 0)]]), expected: refused(4) },
  {
    name: 'a living value of a key that could be cut in two',
    update: mine([[STRING | SUB, ROOT, 'map', 'key', 'two']]),
    expected: refused(4),
  },
  // Rule 5
  { name: 'the 10-byte brick', update: hex('01010900840905017800'), expected: refused(5) },
  { name: 'an origin that is the item itself', update: mine([[STRING | ORIGIN, SENDER, 4, 'x']]), expected: refused(5) },
  { name: 'a right origin behind the item', update: mine([[STRING | RIGHT, SENDER, 5, 'x'], letter]), expected: refused(5) },
  {
    name: 'an item between an item and itself',
    update: mine([[STRING | ORIGIN | RIGHT, VICTIM, 1, VICTIM, 1, 'x']]),
    expected: refused(5),
  },
  { name: 'a parent that is the item itself', update: mine([[TYPE, 0, SENDER, 4, 1]]), expected: refused(5) },
  // Rule 6
  {
    name: 'a first clock beyond its own',
    update: encodeUpdate([{ client: SENDER, clock: 5, structs: [letter] }]),
    expected: gap,
  },
  { name: 'an origin that the victim has not typed yet', update: mine([[STRING | ORIGIN, VICTIM, 6, 'x']]), expected: gap },
  {
    name: 'a right origin of an unknown client',
    update: mine([[STRING | ORIGIN | RIGHT, SENDER, 3, NOBODY, 0, 'x']]),
    expected: gap,
  },
  { name: 'a parent of an unknown client', update: mine([[STRING, 0, NOBODY, 0, 'x']]), expected: gap },
  {
    name: 'a Skip and something behind it',
    update: mine([
      [SKIP, 3],
      [STRING | ORIGIN, SENDER, 3, 'x'],
    ]),
    expected: gap,
  },
  // Rule 7
  {
    name: 'a delete of what the victim will type',
    update: encodeUpdate([], [{ client: VICTIM, ranges: [[6, 100]] }]),
    expected: gap,
  },
  {
    name: 'a delete that reaches one letter too far',
    update: encodeUpdate([], [{ client: VICTIM, ranges: [[0, 7]] }]),
    expected: gap,
  },
  { name: 'a delete of an unknown client', update: encodeUpdate([], [{ client: NOBODY, ranges: [[0, 1]] }]), expected: gap },
  {
    name: 'a delete range without length',
    update: encodeUpdate([], [{ client: VICTIM, ranges: [[2, 0]] }]),
    expected: refused(7),
  },
  {
    name: 'delete ranges that overlap',
    update: encodeUpdate(
      [],
      [
        {
          client: VICTIM,
          ranges: [
            [0, 3],
            [2, 2],
          ],
        },
      ],
    ),
    expected: refused(7),
  },
  {
    name: 'delete ranges that are not sorted',
    update: encodeUpdate(
      [],
      [
        {
          client: VICTIM,
          ranges: [
            [4, 1],
            [0, 1],
          ],
        },
      ],
    ),
    expected: refused(7),
  },
  {
    name: 'a client of deletes twice',
    update: encodeUpdate(
      [],
      [
        { client: VICTIM, ranges: [[0, 1]] },
        { client: VICTIM, ranges: [[1, 1]] },
      ],
    ),
    expected: refused(7),
  },
  { name: 'a client without delete ranges', update: encodeUpdate([], [{ client: VICTIM, ranges: [] }]), expected: refused(7) },
  // Rule 8
  { name: 'values nested 65 deep', update: mine([[ANY | ORIGIN, SENDER, 3, 1, nestedAny(65)]]), expected: refused(8) },
  { name: 'values nested 5,000 deep', update: mine([[ANY | ORIGIN, SENDER, 3, 1, nestedAny(5_000)]]), expected: refused(8) },
  { name: 'JSON nested 65 deep', update: mine([[EMBED | ORIGIN, SENDER, 3, nestedJson(65)]]), expected: refused(8) },
  { name: 'JSON nested 100,000 deep', update: mine([[EMBED | ORIGIN, SENDER, 3, nestedJson(100_000)]]), expected: refused(8) },
  { name: 'types nested 20,000 deep', update: mine(nestedTypes(20_000)), expected: refused(8) },
  ...([ORIGIN, RIGHT] as const).map((neighbour) => ({
    name: `types nested 513 deep, each beside a letter ${neighbour === ORIGIN ? 'before' : 'behind'} it, and deleted`,
    update: mine(typesBeside(513, neighbour), [{ client: SENDER, ranges: [[4, 1]] }]),
    expected: refused(8),
  })),
  { name: 'text that is not UTF-8', update: mine([[STRING | ORIGIN, SENDER, 3, bytes(2, 0xc3, 0x28)]]), expected: refused(8) },
  {
    name: 'half a surrogate pair in UTF-8',
    update: mine([[STRING | ORIGIN, SENDER, 3, bytes(3, 0xed, 0xa0, 0x80)]]),
    expected: refused(8),
  },
  { name: 'a root name that is not UTF-8', update: mine([[STRING, ROOT, bytes(1, 0xff), 'x']]), expected: refused(8) },
  { name: 'an embed that is not JSON', update: mine([[EMBED | ORIGIN, SENDER, 3, '{image:1}']]), expected: refused(8) },
  { name: 'a format value that is not JSON', update: mine([[FORMAT | ORIGIN, SENDER, 3, 'bold', 'yes']]), expected: refused(8) },
  {
    name: 'JSON content that is not JSON',
    update: mine([[JSON_VALUES | ORIGIN, SENDER, 3, 1, 'undefine']]),
    expected: refused(8),
  },
  { name: 'the map key __proto__', update: mine([[ANY | SUB, ROOT, 'map', '__proto__', 1, bytes(126)]]), expected: refused(8) },
  { name: 'the root __proto__', update: mine([[STRING, ROOT, '__proto__', 'x']]), expected: refused(8) },
  { name: 'the format __proto__', update: mine([[FORMAT | ORIGIN, SENDER, 3, '__proto__', 'true']]), expected: refused(8) },
  {
    name: 'the key __proto__ in a value',
    update: mine([[ANY | ORIGIN, SENDER, 3, 1, anyKey('__proto__')]]),
    expected: refused(8),
  },
  {
    name: 'the key __proto__ in JSON',
    update: mine([[EMBED | ORIGIN, SENDER, 3, '{"a":[{"__proto__":1}]}']]),
    expected: refused(8),
  },
  {
    name: 'the key __proto__ in JSON, escaped',
    update: mine([[EMBED | ORIGIN, SENDER, 3, '{"\\u005f_proto__":1}']]),
    expected: refused(8),
  },
  { name: 'a byte behind its end', update: bytes(...mine([letter]), 0), expected: refused(8) },
  // Rule 9
  {
    name: "new clocks of the victim's id",
    update: encodeUpdate([{ client: VICTIM, clock: 6, structs: [[STRING | ORIGIN, VICTIM, 5, 'x']] }]),
    expected: foreign,
  },
  {
    name: 'two billion clocks of the victim, squatted',
    update: encodeUpdate([{ client: VICTIM, clock: 6, structs: [[GC, 2 ** 31]] }]),
    expected: foreign,
  },
  {
    name: "a nobody's id",
    update: encodeUpdate([{ client: NOBODY, clock: 0, structs: [[STRING, ROOT, 'text', 'x']] }]),
    expected: foreign,
  },
  {
    name: "its own letter with one under the victim's id",
    update: encodeUpdate([
      { client: SENDER, clock: 4, structs: [letter] },
      { client: VICTIM, clock: 6, structs: [[STRING | ORIGIN, VICTIM, 5, 'x']] },
    ]),
    expected: foreign,
  },
  {
    name: "other text at the victim's known clocks",
    update: encodeUpdate([{ client: VICTIM, clock: 0, structs: [[STRING, ROOT, 'text', 'VICTIM']] }]),
    expected: { verdict: 'nothing' },
  },
  {
    name: 'other text at its own known clocks',
    update: encodeUpdate([{ client: SENDER, clock: 0, structs: [[STRING | ORIGIN, VICTIM, 5, 'MINE']] }]),
    expected: { verdict: 'nothing' },
  },
  {
    name: 'other text at known clocks and new text behind it',
    update: encodeUpdate([{ client: SENDER, clock: 0, structs: [[STRING | ORIGIN, VICTIM, 5, 'MINE!']] }]),
    expected: { verdict: 'admitted' },
    text: 'victimmine!',
  },
  {
    name: "its own letter with other text at the victim's known clocks",
    update: encodeUpdate([
      { client: SENDER, clock: 4, structs: [letter] },
      { client: VICTIM, clock: 0, structs: [[STRING, ROOT, 'text', 'VICTIM']] },
    ]),
    expected: { verdict: 'admitted' },
    text: 'victimminex',
  },
  // Rule 10
  { name: 'a conflict bomb of 8,000 inserts', update: conflictBomb(8_000), expected: refused(10) },
];
