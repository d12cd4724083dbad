// Preloaded into a process of a test: ends it, or fails, as it gives a file the database's name. `?killed=true` or `false`.
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const killed = new URL(import.meta.url).searchParams.get('killed') === 'true';
const { rename } = fs;
fs.rename = async (from, to) => {
  if (!String(to).endsWith('ashlar.db')) return rename(from, to);
  if (killed) process.kill(process.pid, 'SIGKILL');
  throw Object.assign(new Error('EIO: i/o error, rename'), { code: 'EIO' });
};
syncBuiltinESMExports();
