// Preloaded into a process of a test: ends it, or fails, as it gives a file the database's name, or that of `to`. `?killed=true` or `false`.
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const { searchParams } = new URL(import.meta.url);
const killed = searchParams.get('killed') === 'true';
const last = searchParams.get('to') ?? 'ashlar.db';
const { rename } = fs;
fs.rename = async (from, to) => {
  if (!String(to).endsWith(last)) return rename(from, to);
  if (killed) process.kill(process.pid, 'SIGKILL');
  throw Object.assign(new Error('EIO: i/o error, rename'), { code: 'EIO' });
};
syncBuiltinESMExports();
