import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { renderConfigDocs } from '../../scripts/render-config-docs.ts';
import { developmentSecret } from '../../server/cli/development-secret.ts';
import { type ConfigOverrides, type Env, readConfig, readDataDir } from '../../server/config.ts';
import { listVariables } from '../../server/config-variables.ts';
import { parseSettings } from '../../server/options.ts';
import { AshlarError } from '../../shared/errors.ts';

const SECRET = 's'.repeat(48);
const read = (env: Env, overrides: ConfigOverrides = {}) => readConfig(env, overrides, { developmentSecret: () => SECRET });

/** What is said about wrong values, one line each. */
function problems(env: Env, overrides: ConfigOverrides = {}): string[] {
  try {
    read(env, overrides);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(AshlarError);
    expect((thrown as AshlarError).code).toBe('invalid-options');
    return (thrown as AshlarError).detail?.split('\n') ?? [];
  }
  return [];
}

test('an empty environment is a development server on this machine alone', () => {
  const config = read({});
  expect(config).toMatchObject({ port: 3000, host: '127.0.0.1', production: false, warnings: [] });
  expect(config.settings).toMatchObject({ jwtSecret: SECRET, dataDir: './data', logLevel: 'info' });
  expect(config.settings.limits.eventsPerMinute).toBe(100);
  expect(config.settings.allowedOrigins).toContain('http://localhost:5173');
});

test('what a file or a shell leaves around a value is no part of it', () => {
  const { settings, port, host } = read({
    JWT_SECRET: `${SECRET}\n`,
    PORT: ' 8080 ',
    HOST: '\t::1',
    DATA_DIR: ' /data ',
    LOG_LEVEL: ' ',
  });
  expect([settings.jwtSecret, settings.dataDir, settings.logLevel, port, host]).toEqual([SECRET, '/data', 'info', 8080, '::1']);
});

test('every port is one, from the one that the OS picks to the last', () => {
  expect([read({ PORT: '0' }).port, read({ PORT: '65535' }).port, read({}, { port: '65535' }).port]).toEqual([0, 65_535, 65_535]);
});

test('the data folder alone is read as a server reads it', () => {
  const folders = [
    readDataDir({ DATA_DIR: ' /data\n' }, undefined),
    readDataDir({ DATA_DIR: '/data' }, '/flag'),
    readDataDir({ DATA_DIR: '/data' }, ''),
    readDataDir({ DATA_DIR: ' ' }, undefined),
    readDataDir({}, ''),
  ];
  expect(folders).toEqual(['/data', '/flag', '/data', './data', './data']);
});

test('the environment is read, flags go before it, and empty counts as not set', () => {
  const env = {
    PORT: '8080',
    HOST: '::1',
    JWT_SECRET: `${SECRET}!`,
    FRONTEND_URL: 'https://app.example.com/, https://b.example.com:8443',
    DATA_DIR: '/var/lib/ashlar',
    LOG_LEVEL: 'warn',
    ASHLAR_LIMITS_EVENTS_PER_MINUTE: '7',
    ASHLAR_SUBDOCUMENTS: 'true',
    ASHLAR_RETENTION_LOG_MAX_AGE_MS: '60000',
    ASHLAR_DEFAULT_ACCESS: 'dashboard=read, chat:*=write',
    ASHLAR_JWT_ALGORITHMS: 'HS512,HS256',
    ASHLAR_PREFIX: '',
    ASHLAR_QUOTA_WARN_AT: '0.9',
  };
  const config = read(env, { port: '0' });
  expect(config).toMatchObject({ port: 0, host: '::1' });
  expect(config.settings).toMatchObject({
    jwtSecret: `${SECRET}!`,
    allowedOrigins: ['https://app.example.com', 'https://b.example.com:8443'],
    dataDir: '/var/lib/ashlar',
    logLevel: 'warn',
    subdocuments: true,
    defaultAccess: { dashboard: 'read', 'chat:*': 'write' },
    jwtAlgorithms: ['HS512', 'HS256'],
    prefix: '',
    quota: { warnAt: 0.9 },
  });
  expect(config.settings.limits).toMatchObject({ eventsPerMinute: 7, joinsPerMinute: 600 });
  expect(config.settings.retention.log, 'its neighbour keeps its default').toEqual({ maxRecords: 10_000, maxAgeMs: 60_000 });
});

test('several keys and a URL of keys come from the environment too, in place of a secret', () => {
  const keys = [{ kid: '2026-11', algorithm: 'HS256', secret: SECRET }];
  const env = { NODE_ENV: 'production', ASHLAR_JWT_KEYS: JSON.stringify(keys) };
  const { settings } = read(env);
  expect(settings.jwtKeys).toEqual(keys);
  expect(settings.jwtSecret, 'no secret is made that nobody asked for').toBeUndefined();
  const url = 'https://issuer.example/keys';
  expect(read({ ASHLAR_JWT_JWKS_URL: url }).settings).toMatchObject({ jwtJwksUrl: url });
  expect(read({ ASHLAR_JWT_JWKS_URL: url }).settings.jwtSecret).toBeUndefined();
});

test('in production it listens everywhere, trusts no local page, and refuses to start without a secret', () => {
  const config = read({ NODE_ENV: 'production', JWT_SECRET: SECRET });
  expect(config).toMatchObject({ host: '0.0.0.0', production: true });
  expect(config.settings.allowedOrigins).toEqual([]);
  const said = problems({ NODE_ENV: 'production' });
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch(/^JWT_SECRET is not set: /);
});

test.each([
  [{ PORT: 'http' }, 'PORT is "http"; allowed: a whole number from 0 to 65535'],
  [{ PORT: '65536' }, 'PORT is "65536"; allowed: a whole number from 0 to 65535'],
  [{ PORT: '-1' }, 'PORT is "-1"; allowed: a whole number from 0 to 65535'],
  [{ NODE_ENV: 'staging' }, 'NODE_ENV is "staging"; allowed: one of production, development, test'],
  [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL is "loud"; allowed: one of trace, debug, info, warn, error, fatal, silent'],
  [{ JWT_SECRET: 'short' }, 'JWT_SECRET is 5 characters, not shown; allowed: at least 32 characters'],
  [{ ASHLAR_LIMITS_ROOMS_PER_SOCKET: '0' }, 'ASHLAR_LIMITS_ROOMS_PER_SOCKET is "0"; allowed: a whole number from 1'],
  [{ ASHLAR_LIMITS_ROOMS_PER_SOCKET: '1e3' }, 'ASHLAR_LIMITS_ROOMS_PER_SOCKET is "1e3"; allowed: a whole number from 1'],
  [{ ASHLAR_CHAT_HISTORY: '5.5' }, 'ASHLAR_CHAT_HISTORY is "5.5"; allowed: a whole number from 0'],
  [{ ASHLAR_SUBDOCUMENTS: 'yes' }, 'ASHLAR_SUBDOCUMENTS is "yes"; allowed: true or false'],
  [
    { ASHLAR_JWT_ALGORITHMS: 'none' },
    'ASHLAR_JWT_ALGORITHMS is "none"; allowed: a list with commas between, of HS256, HS384, HS512',
  ],
  [
    { ASHLAR_DEFAULT_ACCESS: 'dashboard=all' },
    'ASHLAR_DEFAULT_ACCESS is "dashboard=all"; allowed: pattern=level with commas between; levels: none, read, write, admin',
  ],
  [
    { ASHLAR_JWT_KEYS: '{"kid":"a"}' },
    'ASHLAR_JWT_KEYS is 11 characters, not shown; allowed: a JSON array of { kid, algorithm, secret?, publicKey? }',
  ],
  [
    { ASHLAR_JWT_KEYS: '[{"kid":"a","algorithm":"none"}]' },
    'ASHLAR_JWT_KEYS is 32 characters, not shown; allowed: a JSON array of { kid, algorithm, secret?, publicKey? }',
  ],
  [
    { ASHLAR_JWT_JWKS_URL: 'http://issuer.example/keys' },
    'ASHLAR_JWT_JWKS_URL is "http://issuer.example/keys"; allowed: an https URL without a user in it',
  ],
  [{ ASHLAR_PREFIX: 'rt/' }, 'ASHLAR_PREFIX is "rt/"; allowed: a path such as /realtime, without a slash at its end'],
  [
    { FRONTEND_URL: 'app.example.com' },
    'FRONTEND_URL is "app.example.com"; allowed: an origin such as https://app.example.com, or `*`',
  ],
  [
    { FRONTEND_URL: 'https://app.example.com/path' },
    'FRONTEND_URL is "https://app.example.com/path"; allowed: an origin such as https://app.example.com, or `*`',
  ],
])('%j names itself, the value and what is allowed', (env, sentence) => {
  expect(problems(env)).toEqual([sentence]);
});

test('a wrong flag names the flag', () => {
  expect(problems({ PORT: '80' }, { port: 'x' })).toEqual(['--port is "x"; allowed: a whole number from 0 to 65535']);
});

test('several wrong values are all told at once, and no secret is made', () => {
  const env = { PORT: 'x', ASHLAR_HISTORY: '-3', ASHLAR_LIMITS_QUEUE_BYTES: 'big' };
  expect(problems(env).map((line) => line.split(' ')[0])).toEqual(['PORT', 'ASHLAR_HISTORY', 'ASHLAR_LIMITS_QUEUE_BYTES']);
  let made = 0;
  const ports = {
    developmentSecret: () => {
      made += 1;
      return SECRET;
    },
  };
  expect(() => readConfig(env, {}, ports)).toThrow(AshlarError);
  expect(made).toBe(0);
});

test('a misspelt variable is told, what other programs put there is not', () => {
  const { warnings } = read({ ASHLAR_LIMIT_EVENTS: '1', ASHLAR_SERVICE_HOST: 'x', ASHLAR_PORT_3000_TCP: 'x' });
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain('ASHLAR_LIMIT_EVENTS');
});

test('every variable has a name of its own', () => {
  const names = listVariables().map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toEqual(expect.arrayContaining(['JWT_SECRET', 'ASHLAR_LIMITS_EVENTS_PER_MINUTE']));
});

test('docs/configuration.md is up to date (npm run docs:config writes it)', () => {
  expect(readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')).toBe(renderConfigDocs());
});

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ashlar-config-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a development secret is made once, kept, and readable by its owner alone', () => {
  const dataDir = join(folder, 'deep', 'data');
  const secret = developmentSecret(dataDir);
  expect(secret.length).toBeGreaterThanOrEqual(32);
  expect(developmentSecret(dataDir)).toBe(secret);
  expect(statSync(join(dataDir, 'secret')).mode & 0o777).toBe(0o600);
  expect(developmentSecret(join(folder, 'other'))).not.toBe(secret);
});

test('a damaged secret file is refused by name', () => {
  writeFileSync(join(folder, 'secret'), 'short');
  expect(() => developmentSecret(folder)).toThrow(join(folder, 'secret'));
  writeFileSync(join(folder, 'file'), '');
  expect(() => developmentSecret(join(folder, 'file'))).toThrow(/JWT_SECRET/);
});

test('a named pipe in the place of the secret is refused by name, not waited for', () => {
  execFileSync('mkfifo', [join(folder, 'secret')]);
  expect(() => developmentSecret(folder)).toThrow(`${join(folder, 'secret')}: not a file`);
});

test('an option that is misspelt, or no JSON, is named, and no secret beside it is told', () => {
  const secret = 'a secret that is long enough to be one';
  const said = (options: object): string => {
    try {
      parseSettings(options);
    } catch (error) {
      return (error as AshlarError).message;
    }
    return 'taken';
  };
  expect(said({ jwtSecret: secret, alowedOrigins: [] })).toBe('Invalid options: Unrecognized key: "alowedOrigins"');
  expect(said({ jwtKeys: [{ kid: 'a', secret, algoritm: 'HS256' }] })).not.toContain(secret);
  expect(said({ jwtKeys: JSON.stringify([{ kid: 'a', secret, algorithm: 'HS256' }]) }), 'text in place of a list').toMatch(
    /jwtKeys: (?!.*long enough)/,
  );
  expect(said({ jwtSecret: secret, history: 5n })).toContain('history: ');
  expect(said({ jwtSecret: secret, defaultAccess: { 'a*b': 'read' } })).toBe(
    'Invalid options: defaultAccess.a*b: a room, or the beginning of one and `*` (given: "read")',
  );
});

test('frames too small for the largest update, which no number of parts would bring, are refused', () => {
  expect(problems({ ASHLAR_LIMITS_FRAME_BYTES: '3900' })).toEqual([
    'ASHLAR_LIMITS_FRAME_BYTES is "3900"; allowed: as much as updateBytes needs, which comes in at most 4096 frames',
  ]);
  expect(problems({ ASHLAR_LIMITS_FRAME_BYTES: '3900', ASHLAR_LIMITS_UPDATE_BYTES: '15000000' })).toEqual([]);
});
