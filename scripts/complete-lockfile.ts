import { readFileSync, writeFileSync } from 'node:fs';
import { missingPlatformPackages } from './missing-platform-packages.ts';

// Run after `npm install` changed package-lock.json (npm run lockfile). A registry that mirrors only some platforms makes npm leave the
// binaries of the others out of the lockfile, and then `npm ci` refuses it everywhere. This puts them back, by their names and exact
// versions; npm fetches the one that fits a machine, and no other.
const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
Object.assign(lock.packages, missingPlatformPackages(lock));
const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);
