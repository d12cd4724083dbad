import fc from 'fast-check';
import * as Y from 'yjs';

/** One step of a random session: somebody edits, undoes, or receives what the log has. */
export interface SessionStep {
  readonly client: number;
  readonly action:
    | 'text'
    | 'delete'
    | 'format'
    | 'embed'
    | 'map'
    | 'unmap'
    | 'array'
    | 'xml'
    | 'nested'
    | 'drop'
    | 'undo'
    | 'redo'
    | 'receive';
  readonly at: number;
  readonly size: number;
}

/** What a session left: the log that a relay would hold, and the document of a member who received all of it. */
export interface Session {
  readonly log: readonly Uint8Array[];
  readonly member: Y.Doc;
}

const CLIENTS = 3;
// Nothing beyond 16 bits: at a random place Yjs cuts such characters in two, and its own members differ then.
const WORDS = 'kvádr ✓ stone';

/** Steps of a random session; `receive` comes often enough for clients to build on one another. */
export const sessionSteps = (maxLength = 80): fc.Arbitrary<SessionStep[]> =>
  fc.array(
    fc.record({
      client: fc.nat(CLIENTS - 1),
      action: fc.constantFrom<SessionStep['action']>(
        ...(['text', 'text', 'text', 'delete', 'delete', 'format', 'format', 'embed', 'map', 'map', 'unmap', 'array'] as const),
        ...(['xml', 'nested', 'drop', 'undo', 'redo', 'receive', 'receive', 'receive', 'receive'] as const),
      ),
      at: fc.nat(1_000),
      size: fc.integer({ min: 1, max: 12 }),
    }),
    { minLength: 1, maxLength },
  );

/** Plays steps on Y.Docs with undo managers, as members of a room would; every local change enters the log at once. */
export function playSession(steps: readonly SessionStep[]): Session {
  const log: Uint8Array[] = [];
  const members = Array.from({ length: CLIENTS }, (_, index) => {
    const doc = new Y.Doc();
    doc.clientID = 100 + index * 7;
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== 'log') log.push(update);
    });
    const undo = new Y.UndoManager([doc.getText('text'), doc.getMap('map'), doc.getXmlFragment('xml')], { captureTimeout: 0 });
    return { doc, undo, read: 0 };
  });
  const receive = (member: (typeof members)[number]) => {
    while (member.read < log.length) Y.applyUpdate(member.doc, log[member.read++]!, 'log');
  };
  for (const step of steps) {
    const member = members[step.client]!;
    if (step.action === 'receive') receive(member);
    else act(member.doc, member.undo, step);
  }
  // Receiving may itself clean formats up, which is a change that the others receive too.
  for (let before = -1; before !== log.length; ) {
    before = log.length;
    for (const member of members) receive(member);
  }
  return { log, member: members[0]!.doc };
}

function act(doc: Y.Doc, undo: Y.UndoManager, { action, at, size }: SessionStep): void {
  const text = doc.getText('text');
  const map = doc.getMap<unknown>('map');
  const list = doc.getArray<unknown>('list');
  const xml = doc.getXmlFragment('xml');
  const place = (length: number) => (length === 0 ? 0 : at % (length + 1));
  const cut = (length: number) => Math.min(size, length - place(length));
  switch (action) {
    case 'text':
      text.insert(place(text.length), WORDS.slice(0, size));
      break;
    case 'delete':
      text.delete(place(text.length), cut(text.length));
      break;
    case 'format':
      text.format(place(text.length), cut(text.length), { bold: at % 2 === 0 ? true : null });
      break;
    case 'embed':
      text.insertEmbed(place(text.length), { image: at });
      break;
    case 'map':
      map.set(`key${at % 3}`, at % 5 === 0 ? new Y.Text('in a map') : { size });
      break;
    case 'unmap':
      map.delete(`key${at % 3}`);
      break;
    case 'array':
      list.insert(place(list.length), [size, { at }, null]);
      break;
    case 'xml': {
      const paragraph = new Y.XmlElement('p');
      paragraph.setAttribute('level', String(size));
      paragraph.insert(0, [new Y.XmlText('paragraph')]);
      xml.insert(place(xml.length), [paragraph]);
      break;
    }
    case 'nested': {
      if (xml.length === 0) break;
      const paragraph = xml.get(at % xml.length);
      const inner = paragraph instanceof Y.XmlElement ? paragraph.get(0) : undefined;
      if (!(inner instanceof Y.XmlText)) break;
      if (at % 3 === 0) inner.insert(place(inner.length), 'word', { em: true });
      else if (at % 3 === 1) inner.format(place(inner.length), cut(inner.length), { em: at % 2 === 0 ? true : null });
      else inner.delete(place(inner.length), cut(inner.length));
      break;
    }
    case 'drop':
      if (xml.length > 0) xml.delete(at % xml.length, 1);
      else if (list.length > 0) list.delete(at % list.length, 1);
      break;
    case 'undo':
      undo.undo();
      break;
    case 'redo':
      undo.redo();
      break;
    case 'receive':
      break;
  }
}

/** All content of a played document, as JSON. */
export function contentOf(doc: Y.Doc): unknown {
  return {
    text: doc.getText('text').toDelta(),
    map: doc.getMap('map').toJSON(),
    list: doc.getArray('list').toJSON(),
    xml: doc.getXmlFragment('xml').toString(),
  };
}
