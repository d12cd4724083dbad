// Exits with 0 where node_modules holds exactly what package-lock.json says, compiled parts included: then `npm ci`, which compiles
// SQLite for minutes, can be spared.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const read = (path) => JSON.parse(readFileSync(`${path}/package.json`, 'utf8'));
try {
  for (const [path, entry] of Object.entries(lock.packages)) {
    // Optional ones are for other platforms; bundled ones come with their parent.
    if (path === '' || entry.optional || entry.devOptional || entry.inBundle || entry.link) continue;
    if (read(path).version !== entry.version) throw new Error(`${path} is not ${entry.version}`);
  }
  const Database = createRequire(`${process.cwd()}/package.json`)('better-sqlite3');
  new Database(':memory:').close();
} catch (problem) {
  console.log(`npm ci is needed: ${problem.message.split('\n')[0]}`);
  process.exit(1);
}
