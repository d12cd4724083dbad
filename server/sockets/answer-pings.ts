import type { WebSocket } from 'ws';

/** A pong that is under way. */
interface UnderWay {
  /** The last ping that came meanwhile. */
  latest: Buffer | undefined;
}

const underWay = new WeakMap<WebSocket, UnderWay>();

/**
 * Answers a peer's WebSocket pings with one pong under way at a time; of pings that come meanwhile only the last is answered,
 * as RFC 6455 (5.5.3) allows. A peer that pings and does not read costs one frame: 200,000 pings cost 104 MB with a pong each.
 */
export function answerPings(websocket: WebSocket): void {
  // One function for all connections, and state only where a pong is under way: hardly any peer ever pings.
  websocket.on('ping', onPing);
}

function onPing(this: WebSocket, ping: Buffer): void {
  const pong = underWay.get(this);
  // A copy: the ping is a slice of the whole chunk that was read.
  if (pong !== undefined) pong.latest = Buffer.from(ping);
  else answer(this, ping);
}

function answer(websocket: WebSocket, ping: Buffer): void {
  const pong: UnderWay = { latest: undefined };
  underWay.set(websocket, pong);
  websocket.pong(ping, false, (error) => {
    underWay.delete(websocket);
    if (pong.latest !== undefined && error == null) answer(websocket, pong.latest);
  });
}
