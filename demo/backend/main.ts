// `npm start` and `npm run demo`: `ashlar serve`, and in development the demo beside it.
import { serve } from '../../server/cli/serve.ts';
import { packageVersion } from '../../server/package-version.ts';
import { AshlarError } from '../../shared/errors.ts';
import { createDemo } from './demo.ts';

const hot = process.argv.includes('--hot');

try {
  await serve({}, packageVersion(), (host) => createDemo(host, { hot }));
} catch (thrown) {
  if (!(thrown instanceof AshlarError) || thrown.code === 'internal') throw thrown;
  console.error(`ashlar: ${thrown.detail ?? thrown.message}`);
  process.exitCode = 1;
}
