import { type Logger, pino } from 'pino';

/** Lines that wait while standard output takes none; newer ones are dropped. */
const MAX_WAITING_BYTES = 1_000_000;

/**
 * The log on standard output, as JSON lines without tokens. A disk that is full, where that leads to a file, costs lines and not the server:
 * what waits is written once there is room.
 */
export function createLog(level: string): Logger {
  const output = pino.destination({ dest: 1, sync: true, maxLength: MAX_WAITING_BYTES });
  // Nobody could be told: it is the log that fails.
  output.on('error', () => {});
  return pino({ level, redact: ['token', '*.token', 'auth', '*.auth', 'headers.authorization'] }, output);
}
