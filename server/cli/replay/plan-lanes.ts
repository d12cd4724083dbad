import type { Trace } from './read-trace.ts';

/** The transactions of one writer, each of which has all earlier ones among its ancestors: what one client can type. */
export interface Lane {
  readonly agent: number;
  /** Indexes into the trace, ascending. */
  readonly transactions: number[];
}

export interface Plan {
  readonly lanes: readonly Lane[];
  /** Transaction → its lane. */
  readonly laneOf: readonly number[];
  /**
   * Transaction → how many transactions of each lane are among its ancestors. Lanes that came later than the transaction are left out.
   */
  readonly ancestors: readonly Uint32Array[];
}

/**
 * Gives each agent a client. An agent whose own transactions are concurrent with each other (a merge of two branches by one author)
 * gets a further one per branch: a client cannot unsee what it typed.
 */
export function planLanes({ transactions }: Trace): Plan {
  const lanes: Lane[] = [];
  const laneOf: number[] = [];
  const ancestors: Uint32Array[] = [];
  /** With the transaction itself. */
  const known: Uint32Array[] = [];
  for (const [index, { parents, agent }] of transactions.entries()) {
    const seen = new Uint32Array(lanes.length);
    for (const parent of parents) {
      for (const [lane, count] of (known[parent] as Uint32Array).entries()) seen[lane] = Math.max(seen[lane] ?? 0, count);
    }
    // All that the lane has typed is seen: then this one continues it.
    let lane = lanes.findIndex((one, at) => one.agent === agent && one.transactions.length === seen[at]);
    if (lane === -1) lane = lanes.push({ agent, transactions: [] }) - 1;
    lanes[lane]?.transactions.push(index);
    const withItself = new Uint32Array(lanes.length);
    withItself.set(seen);
    withItself[lane] = (withItself[lane] ?? 0) + 1;
    laneOf.push(lane);
    ancestors.push(seen);
    known.push(withItself);
  }
  return { lanes, laneOf, ancestors };
}

/**
 * A Yjs client id per lane, growing with the agent's number. Where two agents insert at one place at the same time Yjs puts the lower
 * id first; the collection's texts were made with the lower agent first (friendsforever.concurrent has such a place: with the ids the
 * other way round, the merge differs from `endContent` at character 3,798).
 * @param draw a random unsigned 32-bit number
 */
export function drawClientIds({ lanes }: Plan, draw: () => number): number[] {
  const drawn = new Set<number>();
  while (drawn.size < lanes.length) drawn.add(draw());
  const ascending = [...drawn].sort((a, b) => a - b);
  const byAgent = lanes
    .map((lane, index) => ({ agent: lane.agent, index }))
    .sort((a, b) => a.agent - b.agent || a.index - b.index);
  const ids: number[] = [];
  for (const [place, { index }] of byAgent.entries()) ids[index] = ascending[place] as number;
  return ids;
}
