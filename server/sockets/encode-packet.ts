/**
 * A Socket.IO packet encoded once for all of its receivers.
 * `packets` are the engine packets (a string, and a Buffer per attachment), for transports that frame by themselves;
 * `webSocketFrames` is all of them as finished server-to-client WebSocket frames in one buffer.
 */
export interface EncodedPacket {
  readonly packets: readonly (string | Buffer)[];
  readonly webSocketFrames: Buffer;
  /** What it costs a queue. */
  readonly bytes: number;
}
