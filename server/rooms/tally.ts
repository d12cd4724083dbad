/** What slow receivers, and the disk, cost: counted where it happens. */
export interface Tally {
  /** An ephemeral event was dropped for a receiver whose queue was full. */
  dropped(): void;
  /** A state value has to wait for a receiver whose queue is full, or that is catching up: only the latest will go out. */
  conflated(): void;
  /** A member is brought up to date from the log. */
  caughtUp(): void;
  /** A group commit has ended. @param ms how long it took @param records how many it held */
  committed(ms: number, records: number, ok: boolean): void;
}

export const NO_TALLY: Tally = { dropped() {}, conflated() {}, caughtUp() {}, committed() {} };
