import type { AshlarError } from '../../shared/errors.ts';
import type { Clock } from '../clock.ts';
import type { LogRecord, Quarantine, Snapshot } from '../storage/store.ts';
import { decodeStateVector } from './admission/state-vector.ts';
import type { DocumentRoom } from './document-room.ts';
import { jobOf, readTail } from './load-document.ts';
import type { QuarantineLimits } from './worker/document-workers.ts';

/**
 * Finds the records that damage a document, with those that build on them, and takes them out of its log, durably: they are kept, the rest is
 * served, its members start over. Found while people go on writing; only then is the document closed, for what came meanwhile and the commit.
 * @param reason what was wrong
 * @returns the records that were set aside; none where the search found nothing wrong
 * @throws AshlarError `document-damaged` where the snapshot is wrong by itself, or the rest is; the store's. Then all is as it was
 */
export async function setAside(
  document: DocumentRoom,
  reason: string,
  limits: QuarantineLimits,
  clock: Clock,
): Promise<readonly LogRecord[]> {
  const { room, ports, writers } = document;
  const { workers } = ports;
  const first = await readTail(document);
  const found = await workers.quarantine(jobOf(first), limits);
  if (found.bad.length === 0) return [];
  const aside = new Map(found.bad.map((index) => [first.records[index]!.seq, first.records[index]!]));

  document.blocked = true;
  try {
    await room.settled();
    const now = await readTail(document);
    const kept = now.records.filter(({ seq }) => !aside.has(seq));
    const later = await workers.quarantine(jobOf({ ...now, records: kept }), limits);
    for (const index of later.bad) aside.set(kept[index]!.seq, kept[index]!);
    const rest = kept.filter(({ seq }) => !aside.has(seq));
    const { state, stateVector } = await workers.compact(jobOf({ ...now, records: rest }), limits);
    if (room.deleted) return [];
    const clocks = writers.clocksAfterLoss(decodeStateVector(stateVector, Number.MAX_SAFE_INTEGER));
    const snapshot: Snapshot = { seq: room.head.seq, epoch: drawName(clock), state, stateVector };
    const seqs = [...aside.keys()].sort((a, b) => a - b);
    const quarantine: Quarantine = { seqs, reason, at: clock.now(), snapshot, clocks, incarnation: drawName(clock) };
    await commit(document, quarantine);
    return seqs.map((seq) => aside.get(seq)!);
  } finally {
    document.blocked = false;
  }
}

function commit(document: DocumentRoom, quarantine: Quarantine): Promise<void> {
  return new Promise((resolve, reject) => {
    document.room.submit({
      durable: true,
      quarantine,
      leave: () => {
        document.quarantined(quarantine.snapshot, quarantine.clocks, quarantine.incarnation);
        resolve();
      },
      fail: (error: AshlarError) => reject(error),
    });
  });
}

function drawName(clock: Clock): string {
  return Buffer.from(clock.randomBytes(16)).toString('base64url');
}
