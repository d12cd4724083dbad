import { DocumentRoom } from '../../server/documents/document-room.ts';
import type { ServerFrame } from '../../shared/document-frame.ts';

type Refusal = Extract<ServerFrame, { type: 'refused' | 'gap' | 'reset' }>;

export interface Refusals extends Disposable {
  /** What was told, oldest first. */
  readonly frames: readonly Refusal[];
}

/** Notes each frame by which a server of this process tells a client that an update was not taken. One watch at a time. */
export function watchRefusals(): Refusals {
  const frames: Refusal[] = [];
  const { send } = DocumentRoom.prototype;
  DocumentRoom.prototype.send = function (member, frame) {
    if (frame.type === 'refused' || frame.type === 'gap' || frame.type === 'reset') frames.push(frame);
    send.call(this, member, frame);
  };
  return {
    frames,
    [Symbol.dispose]() {
      DocumentRoom.prototype.send = send;
    },
  };
}
