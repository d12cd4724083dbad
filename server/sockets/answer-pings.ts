import type { WebSocket } from 'ws';

/**
 * Answers a peer's WebSocket pings with one pong under way at a time; of pings that come meanwhile only the last is answered,
 * as RFC 6455 (5.5.3) allows. A peer that pings and does not read costs one frame: 200,000 pings cost 104 MB with a pong each.
 */
export function answerPings(websocket: WebSocket): void {
  let underWay = false;
  let latest: Buffer | undefined;
  const answer = (ping: Buffer): void => {
    underWay = true;
    websocket.pong(ping, false, (error) => {
      underWay = false;
      const next = latest;
      latest = undefined;
      if (next !== undefined && error == null) answer(next);
    });
  };
  websocket.on('ping', (ping: Buffer) => {
    // A copy: the ping is a slice of the whole chunk that was read.
    if (underWay) latest = Buffer.from(ping);
    else answer(ping);
  });
}
