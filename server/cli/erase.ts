import { AshlarError } from '../../shared/errors.ts';
import { processEnv, readDataDir } from '../config.ts';
import { eraseFromFolder } from '../storage/sqlite/erase-from-folder.ts';
import type { Erasure } from '../storage/store.ts';
import { createSystemClock } from '../system-clock.ts';
import { count, printable } from './describe-verification.ts';

export interface EraseFlags {
  dataDir?: string;
}

/**
 * Erases a user from a data folder that no server is using, and says what went and what is left to the operator.
 * @throws AshlarError a server uses the folder, there is no database, the id is none, or the disk fails
 */
export async function erase(userId: string, flags: EraseFlags): Promise<void> {
  if (userId === '') throw new AshlarError('invalid-options', { detail: 'a user has an id' });
  const dataDir = readDataDir(processEnv(), flags.dataDir);
  const { erasure, olderCopies } = await eraseFromFolder(dataDir, userId, createSystemClock());
  const lines = describeErasure(erasure);
  const name = printable(userId);
  process.stdout.write(lines.length === 0 ? `Nothing of ${name} is stored.\n` : `Erased ${name}: ${lines.join(', ')}.\n`);
  for (const line of describeRest(erasure, olderCopies)) process.stdout.write(`${line}\n`);
}

function describeErasure(erasure: Erasure): string[] {
  const parts: readonly (readonly [number, string])[] = [
    [erasure.records, 'event'],
    [erasure.rooms, 'room of its own'],
    [erasure.updates, 'document update without an author now'],
    [erasure.clientIds, 'Yjs client id'],
    [erasure.sessions, 'writing session'],
    [erasure.quarantined, 'quarantined update'],
    [erasure.states, 'state value'],
    [erasure.grants, 'grant'],
    [erasure.keys, 'idempotency key'],
  ];
  const described = parts.filter(([number]) => number > 0).map(([number, what]) => inNumber(number, what));
  if (erasure.documents > 0) described.push(`in ${count(erasure.documents, 'document')}`);
  return described;
}

function describeRest({ mentions, namedAfter }: Erasure, olderCopies: readonly string[]): string[] {
  const lines: string[] = [];
  if (mentions > 0) lines.push(`${count(mentions, 'event')} or state values of others still hold the id: they are theirs.`);
  if (namedAfter.length > 0) lines.push(`Rooms with the id in their name stay: ${namedAfter.map(printable).join(', ')}`);
  if (olderCopies.length > 0) lines.push(`Older copies still hold everything: ${olderCopies.map(printable).join(', ')}`);
  return lines;
}

// `1 room of its own`, `2 rooms of its own`.
function inNumber(number: number, what: string): string {
  const [noun = '', ...rest] = what.split(/(?= (?:of|without) )/);
  return [count(number, noun), ...rest].join('');
}
