import * as fc from 'fast-check';
import * as Y from 'yjs';
import { type Admission, type AdmissionContext, admitUpdate } from '../../server/documents/admission/admit-update.ts';

/** A document's log as the server keeps it: what was admitted, how far each client id came, and whose it is. */
export class AdmissionLog {
  readonly records: Uint8Array[] = [];
  readonly known = new Map<number, number>();
  readonly owners = new Map<number, string>();

  claim(clientId: number, user: string): void {
    this.owners.set(clientId, user);
  }

  contextFor(user: string, full = false): AdmissionContext {
    const { known, owners } = this;
    return {
      known,
      ownerOf: (clientId) => (owners.get(clientId) === user ? 'self' : owners.has(clientId) ? 'other' : 'unclaimed'),
      full,
      maxStructs: 200_000,
      subdocuments: false,
    };
  }

  /** Admits an update and, where it is admitted, appends it. */
  take(user: string, update: Uint8Array, full = false): Admission {
    const admission = admitUpdate(update, this.contextFor(user, full));
    if (admission.verdict === 'admitted') {
      this.records.push(admission.update);
      for (const { clientId, clock } of admission.clocks) this.known.set(clientId, clock);
    }
    return admission;
  }

  /** What a joiner gets: all records in one update. */
  merged(): Uint8Array {
    return mergeTree(this.records);
  }
}

/** Merges updates as a tree: one long list is quadratic. */
export function mergeTree(updates: readonly Uint8Array[]): Uint8Array {
  let level = updates.length === 0 ? [new Uint8Array([0, 0])] : [...updates];
  while (level.length > 1) {
    const next: Uint8Array[] = [];
    for (let index = 0; index < level.length; index += 64) next.push(Y.mergeUpdates(level.slice(index, index + 64)));
    level = next;
  }
  return level[0] as Uint8Array;
}

/** One step of a session; the numbers choose among what is possible at that moment. */
export type Step =
  | { readonly do: 'edit'; readonly member: number; readonly kind: number; readonly at: number; readonly size: number }
  | { readonly do: 'undo' | 'redo' | 'send' | 'send-merged' | 'receive' | 'resend' | 'full' | 'reload'; readonly member: number };

const member = fc.nat(2);

/** Steps of a session of three members, mostly edits. */
export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('edit' as const),
      member,
      kind: fc.nat(99),
      at: fc.nat(9_999),
      size: fc.integer({ min: 1, max: 12 }),
    }),
  },
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'undo',
        'undo',
        'redo',
        'send',
        'send',
        'send-merged',
        'receive',
        'receive',
        'resend',
        'full',
        'reload',
      ),
      member,
    }),
  },
);

/** One member: a Y.Doc with an undo manager, and what it has not sent. */
class Member {
  readonly user: string;
  doc = new Y.Doc();
  undo: Y.UndoManager;
  outbox: Uint8Array[] = [];
  /** How many of the log's records it has. */
  position = 0;

  constructor(user: string, clientId: number) {
    this.user = user;
    this.undo = this.#open(clientId);
  }

  #open(clientId: number): Y.UndoManager {
    this.doc.clientID = clientId;
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== 'remote') this.outbox.push(update);
    });
    return new Y.UndoManager([...roots(this.doc)], { captureTimeout: 0 });
  }

  reopen(clientId: number): void {
    this.undo.destroy();
    this.doc.destroy();
    this.doc = new Y.Doc();
    this.position = 0;
    this.undo = this.#open(clientId);
  }
}

/** The root types of a session's document. */
export function roots(doc: Y.Doc): [Y.Text, Y.Array<unknown>, Y.Map<unknown>, Y.XmlFragment] {
  return [doc.getText('text'), doc.getArray('array'), doc.getMap('map'), doc.getXmlFragment('xml')];
}

/** Everything that a reader sees of a session's document, keys sorted: maps have no order. */
export function contentOf(doc: Y.Doc): unknown {
  const [text, array, map, xml] = roots(doc);
  const content = { text: text.toDelta(), array: array.toJSON(), map: map.toJSON(), xml: xml.toString() };
  return JSON.parse(
    JSON.stringify(content, (_, value) => {
      if (value instanceof Y.AbstractType) return value.toJSON();
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
      return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
    }),
  );
}

/** Three honest members who edit, undo, send, receive and reload, and the log that they write. */
export class Session {
  readonly log = new AdmissionLog();
  readonly members: Member[];
  /** Every update that was sent, with its verdict. */
  readonly sent: { readonly update: Uint8Array; readonly user: string; readonly full: boolean; readonly admission: Admission }[] =
    [];
  #clientIds: number;

  constructor(firstClientId = 1_000) {
    this.#clientIds = firstClientId;
    this.members = ['ada', 'bob', 'cleo'].map((user) => new Member(user, this.#nextId(user)));
  }

  // Ids in no order of time: Yjs breaks ties by them.
  #nextId(user: string): number {
    const clientId = (Math.imul(this.#clientIds++, 2_654_435_761) >>> 0) % 2 ** 31;
    this.log.claim(clientId, user);
    return clientId;
  }

  run(step: Step): void {
    const member = this.members[step.member] as Member;
    switch (step.do) {
      case 'edit':
        edit(member.doc, step.kind, step.at, step.size);
        break;
      case 'undo':
        member.undo.undo();
        break;
      case 'redo':
        member.undo.redo();
        break;
      case 'send':
        for (const update of member.outbox.splice(0)) this.send(member, update);
        break;
      case 'send-merged':
        this.sendMerged(member);
        break;
      case 'receive':
        this.receive(member);
        break;
      case 'resend': {
        const again = this.sent.filter(({ user }) => user === member.user).at(-1);
        if (again !== undefined) this.send(member, again.update, again.full);
        break;
      }
      case 'full':
        // What an SDK sends after a gap: all that the server has not, with all deletions.
        member.outbox = [];
        this.send(member, Y.encodeStateAsUpdate(member.doc, Y.encodeStateVector(this.log.known)), true);
        break;
      case 'reload':
        this.sendMerged(member);
        member.reopen(this.#nextId(member.user));
        this.receive(member);
        break;
    }
  }

  send(member: Member, update: Uint8Array, full = false): void {
    this.sent.push({ update, user: member.user, full, admission: this.log.take(member.user, update, full) });
  }

  sendMerged(member: Member): void {
    if (member.outbox.length > 0) this.send(member, Y.mergeUpdates(member.outbox.splice(0)));
  }

  receive(member: Member): void {
    for (const record of this.log.records.slice(member.position)) Y.applyUpdate(member.doc, record, 'remote');
    member.position = this.log.records.length;
  }

  /** Everyone sends and receives until nothing is left. */
  settle(): void {
    for (let round = 0; round < 5; round++) {
      for (const member of this.members) this.sendMerged(member);
      for (const member of this.members) this.receive(member);
    }
  }
}

const WORDS = ['stone', 'a', 'Grüße ', '日本', '👩‍👩‍👧', '\n', ' and ', 'é'];

function textOf(at: number, size: number): string {
  let text = '';
  for (let index = 0; index < size; index++) text += WORDS[(at + index * 7) % WORDS.length];
  // Whole characters only: half of a surrogate pair is U+FFFD to everyone but its writer.
  return [...text].slice(0, size * 2).join('');
}

function anyValue(at: number, size: number): unknown {
  const values: (() => unknown)[] = [
    () => at,
    () => -at / 7,
    () => textOf(at, size),
    () => at % 2 === 0,
    () => null,
    () => ({ a: [at, { deep: [textOf(at, 2)] }], b: null }),
    () => new Uint8Array([at & 255, size]),
    () => new Y.Text(textOf(at, size)),
    () => new Y.Map(Object.entries({ a: at, b: textOf(at, size) })),
    () => Y.Array.from([at, textOf(at, size), { size }]),
    () => BigInt(at),
  ];
  // A bigint is no JSON: contentOf could not show it.
  return (values[at % (values.length - 1)] as () => unknown)();
}

function xmlOf(at: number, size: number): Y.XmlElement | Y.XmlText {
  if (at % 3 === 0) return new Y.XmlText(textOf(at, size));
  const element = new Y.XmlElement(['p', 'h1', 'li'][at % 3] as string);
  element.setAttribute('align', String(size));
  element.insert(0, at % 2 === 0 ? [new Y.XmlText(textOf(at, size)), new Y.XmlElement('br')] : [new Y.XmlText(textOf(at, 1))]);
  return element;
}

/** All types of a kind in a document, roots and nested. */
function typesIn(doc: Y.Doc): Y.AbstractType<unknown>[] {
  const found: Y.AbstractType<unknown>[] = [];
  const open: unknown[] = [...roots(doc)];
  for (let type = open.pop(); type !== undefined; type = open.pop()) {
    if (!(type instanceof Y.AbstractType)) continue;
    found.push(type as Y.AbstractType<unknown>);
    if (type instanceof Y.Map) open.push(...type.values());
    else if (type instanceof Y.XmlText || type instanceof Y.Text) continue;
    else if (type instanceof Y.Array || type instanceof Y.XmlFragment) open.push(...type.toArray());
  }
  return found;
}

/** Makes one edit of a kind that fits some type of the document. */
export function edit(doc: Y.Doc, kind: number, at: number, size: number): void {
  const types = typesIn(doc);
  const type = types[(kind * 31 + at) % types.length] as Y.AbstractType<unknown>;
  doc.transact(() => {
    if (type instanceof Y.Text) editText(type, kind, at, size);
    else if (type instanceof Y.Array) editList(type, kind, at, size, () => anyValue(at, size));
    else if (type instanceof Y.Map) editMap(type, kind, at, size);
    else if (type instanceof Y.XmlFragment) {
      if (type instanceof Y.XmlElement && kind % 4 === 0) type.setAttribute(['align', 'level'][at % 2] as string, textOf(at, 1));
      else editList(type, kind, at, size, () => xmlOf(at, size));
    }
  });
}

function editText(text: Y.Text, kind: number, at: number, size: number): void {
  const units = text
    .toDelta()
    .reduce((all: string, part: { insert?: unknown }) => all + (typeof part.insert === 'string' ? part.insert : '\ufffc'), '');
  const whole = (index: number) => (/[\udc00-\udfff]/.test(units.charAt(index)) ? index - 1 : index);
  const position = whole(at % (units.length + 1));
  const length = whole(Math.min(position + size, units.length)) - position;
  switch (kind % 8) {
    case 0:
    case 1:
      text.insert(position, textOf(at, size));
      break;
    case 2:
      text.delete(position, length);
      break;
    case 3:
      text.format(position, length, { bold: at % 3 === 0 ? null : true, link: at % 2 === 0 ? { href: textOf(at, 1) } : null });
      break;
    case 4:
      text.insertEmbed(position, { image: textOf(at, 1), size });
      break;
    case 5:
      text.insert(position, textOf(at, size), { italic: true });
      break;
    case 6:
      text.insert(0, textOf(at, 1));
      break;
    default:
      text.insert(units.length, textOf(at, size));
  }
}

interface List {
  readonly length: number;
  insert(index: number, content: unknown[]): void;
  delete(index: number, length: number): void;
}

function editList(type: unknown, kind: number, at: number, size: number, content: () => unknown): void {
  const list = type as List;
  const position = at % (list.length + 1);
  switch (kind % 5) {
    case 0:
      list.delete(position, Math.min(size, list.length - position));
      break;
    case 1:
      list.insert(0, [content()]);
      break;
    case 2:
      list.insert(position, [content(), content()]);
      break;
    default:
      list.insert(position, [content()]);
  }
}

function editMap(map: Y.Map<unknown>, kind: number, at: number, size: number): void {
  const key = `key${at % 5}`;
  if (kind % 4 === 0) map.delete(key);
  else map.set(key, anyValue(at, size));
}
