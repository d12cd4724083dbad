/**
 * What a command does and how it ends does not hang on who reads its output: a reader that went away (`ashlar check | head`) is no failure, and
 * what cannot be written otherwise (a full disk) ends with code 1 and a sentence. A server goes on.
 */
export function surviveOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    if (process.listenerCount('exit', failed) > 0) return;
    process.once('exit', failed);
    console.error(`ashlar: the output cannot be written (${error.code ?? error.message})`);
  });
  process.stderr.on('error', () => {});
}

function failed(): void {
  if (process.exitCode === undefined || process.exitCode === 0) process.exitCode = 1;
}
