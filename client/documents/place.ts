import type { Position } from '../../shared/position.ts';

/** How far a document's content has come in the server's log, and of which document of that name. */
export interface Place extends Position {
  readonly incarnation: string | null;
}
