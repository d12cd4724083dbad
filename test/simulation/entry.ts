import { installGlobals } from './install-globals.ts';

// First the globals, then all that may look at them.
const real = installGlobals();
const { main } = await import('./main.ts');
await main(process.argv.slice(2), real);
// Whatever a killed server has left does not count; what was written must get out.
process.stdout.write('', () => process.exit());
