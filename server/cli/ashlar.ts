#!/usr/bin/env node
import { Command, InvalidArgumentError } from 'commander';
import { AshlarError } from '../../shared/errors.ts';
import { packageVersion } from '../package-version.ts';
import type { BackupFlags } from './backup.ts';
import type { CheckFlags } from './check.ts';
import type { EraseFlags } from './erase.ts';
import type { ReplayFlags } from './replay.ts';
import type { RestoreFlags } from './restore.ts';
import type { ServeFlags } from './serve.ts';
import { surviveOutput } from './survive-output.ts';
import type { TokenFlags } from './token.ts';
import type { VerifyFlags } from './verify.ts';

const EXAMPLES = `
Examples:
  $ ashlar serve                                   a server on http://127.0.0.1:3000, its data in ./data
  $ ashlar token --id anna --access 'doc:*=write'  a token that may edit every document, good for 12 hours
  $ ashlar replay session.json.gz                  types a recorded session into the server, and checks the result
  $ ashlar backup backups/monday.db                a copy of the data, complete and checked, while the server runs
  $ ashlar restore backups/monday.db               puts it in the place of the data; the server is stopped for that
  $ ashlar verify                                  makes faults for real on this machine, and says what holds

Settings come from the environment (PORT, HOST, JWT_SECRET, FRONTEND_URL, DATA_DIR, LOG_LEVEL, and every limit as ASHLAR_LIMITS_…):
docs/configuration.md lists them all. ashlar <command> --help says more about each command.`;

const BACKUP_HELP = `
Run it as the user that the server runs as, on the server's machine. Exit code 1: there is no new backup, and earlier files are as
they were. Where the data itself is damaged, what can be read of it is in <file>.damaged.`;

const RESTORE_HELP = `
Run it as the user that the server runs as. The backup is read whole before anything is touched. Clients that know newer records are told that their positions are of another
log, get the state of the backup, and bring back what they still hold of documents.`;

const CHECK_HELP = `
Changes nothing. Exit code 1: something is damaged, and named in a line that begins with DAMAGED.`;

const ERASE_HELP = `
A running server does the same by realtime.eraseUser(id). What the user wrote in documents stays, without its author: others have built upon
it. Backups from before still hold the user: erase again after restoring one. The database is written anew, which takes as much room again.`;

const VERIFY_HELP = `
Touches no data of yours, and needs nothing but what is installed. Exit code 1: something does not hold. A fault that cannot be made here is
skipped, and the reason is told.`;

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('a whole number is needed');
}

// Each command's code is loaded when it is run: `ashlar token` needs no SQLite, and `ashlar --help` nothing at all.
const program = new Command('ashlar')
  .description('Realtime for TypeScript products: domain events and co-edited documents over one connection.')
  .version(packageVersion(), '-v, --version')
  .helpCommand(false)
  .showHelpAfterError('(ashlar --help says what there is)')
  .addHelpText('after', EXAMPLES);

program
  .command('serve')
  .description('run the server')
  .option('-p, --port <port>', 'TCP port, before PORT; 0 lets the OS pick')
  .option('--host <address>', 'address to listen on, before HOST')
  .option('-d, --data-dir <folder>', 'where the data is kept, before DATA_DIR')
  .option('--log-level <level>', 'trace, debug, info, warn, error, fatal or silent, before LOG_LEVEL')
  .action(async (flags: ServeFlags) => {
    const { serve } = await import('./serve.ts');
    await serve(flags, packageVersion());
  });

program
  .command('token')
  .description('print a token for a user, signed with JWT_SECRET (in development: with the secret in the data folder)')
  .requiredOption('--id <id>', "the user's id")
  .option('--name <name>', 'what others see; default: the id')
  .option('--role <role...>', 'roles, such as admin')
  .option('--permission <permission...>', 'permissions: publish (HTTP events), stats')
  .option('--access <pattern=level...>', "access by room, such as 'doc:*=write' dashboard=read; levels: none, read, write, admin")
  .option('--expires <time>', 'how long it is good: 90s, 30m, 12h, 7d', '12h')
  .option('-d, --data-dir <folder>', 'where the development secret is kept, before DATA_DIR')
  .action(async (flags: TokenFlags) => {
    const { printToken } = await import('./token.ts');
    printToken(flags);
  });

program
  .command('replay')
  .description('play a recorded editing session through real clients, one per author, and check that all end with its text')
  .argument('<file>', 'a trace of the collection josephg/editing-traces, .json or .json.gz, sequential or concurrent')
  .option('--url <url>', "the server's address; default: http://127.0.0.1 and PORT")
  .option('--token <token>', 'a token that may write the document; default: one is signed, as `ashlar token` does')
  .option('--document <name>', 'a document that is still empty; default: a new name')
  .option('--readers <count>', 'clients that only watch', wholeNumber, 1)
  .option('--rate <edits>', 'transactions per second, all authors together; default: as fast as it goes', wholeNumber)
  .option('--timeout <seconds>', 'give up when nothing has moved for so long', wholeNumber, 30)
  .option('-d, --data-dir <folder>', 'where the development secret is kept, before DATA_DIR')
  .action(async (file: string, flags: ReplayFlags) => {
    const { replay } = await import('./replay.ts');
    process.exitCode = (await replay(file, flags)) ? 0 : 1;
  });

program
  .command('backup')
  .description(
    'copy the data into one file, also while a server runs; it appears under its name only when it was read back and is sound',
  )
  .argument('<file>', 'where the backup goes; its folder is there already')
  .option('-f, --force', 'overwrite a file that is there')
  .option('-d, --data-dir <folder>', 'where the data is kept, before DATA_DIR')
  .addHelpText('after', BACKUP_HELP)
  .action(async (file: string, flags: BackupFlags) => {
    const { backup } = await import('./backup.ts');
    process.exitCode = (await backup(file, flags)) ? 0 : 1;
  });

program
  .command('restore')
  .description('put a backup in the place of the data; the server must be stopped, and what was there is kept beside it')
  .argument('<file>', 'a backup, or any ashlar.db')
  .option('-f, --force', 'restore what is in it, though it is damaged')
  .option('-d, --data-dir <folder>', 'where the data is kept, before DATA_DIR; made if it is missing')
  .addHelpText('after', RESTORE_HELP)
  .action(async (file: string, flags: RestoreFlags) => {
    const { restore } = await import('./restore.ts');
    process.exitCode = (await restore(file, flags)) ? 0 : 1;
  });

program
  .command('check')
  .description('read everything that is stored, load every document, and say what each room holds and what is damaged')
  .argument('[file]', 'a backup, in place of the data folder (whose server must be stopped)')
  .option('-d, --data-dir <folder>', 'where the data is kept, before DATA_DIR')
  .addHelpText('after', CHECK_HELP)
  .action(async (file: string | undefined, flags: CheckFlags) => {
    const { check } = await import('./check.ts');
    process.exitCode = (await check(file, flags)) ? 0 : 1;
  });

program
  .command('erase')
  .description('erase a user: events, notifications, authorship, grants, sessions, keys; the server must be stopped')
  .argument('<user>', "the user's id")
  .option('-d, --data-dir <folder>', 'where the data is kept, before DATA_DIR')
  .addHelpText('after', ERASE_HELP)
  .action(async (user: string, flags: EraseFlags) => {
    const { erase } = await import('./erase.ts');
    await erase(user, flags);
  });

program
  .command('verify')
  .description(
    'make faults for real, in a temporary folder on this machine, and say what holds: kills, cuts, flipped bits, a full disk',
  )
  .option('--kills <count>', 'how often the server is killed at work', wholeNumber, 10)
  .option('--only <words...>', 'only checks whose names hold one of these')
  .option('--json', 'print the report as JSON')
  .addHelpText('after', VERIFY_HELP)
  .action(async (flags: VerifyFlags) => {
    const { verify } = await import('./verify.ts');
    process.exitCode = (await verify(flags, packageVersion())) ? 0 : 1;
  });

surviveOutput();
try {
  await program.parseAsync();
} catch (thrown) {
  // What we know is one sentence; what we don't know keeps its stack.
  const known = thrown instanceof AshlarError && thrown.code !== 'internal';
  const sentence = known && thrown.code === 'invalid-options' ? thrown.detail : undefined;
  console.error(known ? `ashlar: ${sentence ?? thrown.message}` : thrown);
  process.exitCode = 1;
}
