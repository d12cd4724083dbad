import { AshlarError } from '../shared/errors.ts';
import { listVariables, type Variable } from './config-variables.ts';
import { Settings } from './options.ts';
import { parseAccess } from './parse-access.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** What a standalone server runs with. */
export interface Config {
  readonly settings: Settings;
  /** TCP port; 0 lets the OS pick. */
  readonly port: number;
  readonly host: string;
  readonly production: boolean;
  /** Sentences for the operator about what was left unread, such as a misspelt variable. */
  readonly warnings: readonly string[];
}

/** What flags of the command line say instead of the environment, as text. */
export interface ConfigOverrides {
  readonly port?: string | undefined;
  readonly host?: string | undefined;
  readonly dataDir?: string | undefined;
  readonly logLevel?: string | undefined;
}

export interface ConfigPorts {
  /** The secret of a development server: made on first use, and kept. Never asked in production. */
  developmentSecret(dataDir: string): string;
}

const DEVELOPMENT_ORIGINS = 'http://localhost:5173,http://127.0.0.1:5173';

/** The variables that only a standalone server has; the others are its settings' (`listVariables`). */
export const SERVER_VARIABLES: readonly Variable[] = [
  {
    name: 'NODE_ENV',
    path: ['environment'],
    kind: 'text',
    allowed: 'one of production, development, test',
    description: 'production: needs JWT_SECRET, makes no tokens, and logs JSON alone',
    defaultValue: 'development',
  },
  {
    name: 'PORT',
    path: ['port'],
    kind: 'integer',
    allowed: 'a whole number from 0 to 65535',
    description: 'TCP port; 0 lets the OS pick',
    defaultValue: 3000,
  },
  {
    name: 'HOST',
    path: ['host'],
    kind: 'text',
    allowed: 'text',
    description:
      'address to listen on; left out: this machine alone (127.0.0.1) in development, every IPv4 address (0.0.0.0) in production',
    defaultValue: undefined,
  },
];

const FLAGS: Readonly<Record<string, { key: keyof ConfigOverrides; flag: string }>> = {
  PORT: { key: 'port', flag: '--port' },
  HOST: { key: 'host', flag: '--host' },
  DATA_DIR: { key: 'dataDir', flag: '--data-dir' },
  LOG_LEVEL: { key: 'logLevel', flag: '--log-level' },
};

/** The process's environment. The only place that reads it. */
export function processEnv(): Env {
  return process.env;
}

/**
 * Reads a standalone server's configuration from its environment. An empty variable counts as not set.
 * @param overrides flags of the command line, which go before the environment
 * @throws AshlarError `invalid-options`: its detail tells every wrong value with its variable (or flag), what was given (never a
 *   secret) and what is allowed
 */
export function readConfig(env: Env, overrides: ConfigOverrides, ports: ConfigPorts): Config {
  const problems: string[] = [];
  const read = (variable: Variable): unknown => {
    const flag = FLAGS[variable.name];
    const override = flag === undefined ? undefined : overrides[flag.key];
    const text = override ?? env[variable.name]?.trim();
    if (text === undefined || text === '') return undefined;
    const value = convert(variable, text);
    if (value !== undefined) return value;
    problems.push(describe(override === undefined ? variable.name : (flag?.flag ?? variable.name), text, variable.allowed));
    return undefined;
  };

  const [environmentVariable, portVariable, hostVariable] = SERVER_VARIABLES as readonly [Variable, Variable, Variable];
  const environment = read(environmentVariable) ?? 'development';
  const production = environment === 'production';
  const port = (read(portVariable) ?? 3000) as number;
  const host = (read(hostVariable) ?? (production ? '0.0.0.0' : '127.0.0.1')) as string;
  if (!['production', 'development', 'test'].includes(environment as string)) {
    problems.push(describe('NODE_ENV', environment as string, environmentVariable.allowed));
  }
  if (port > 65_535)
    problems.push(describe(overrides.port === undefined ? 'PORT' : '--port', String(port), portVariable.allowed));

  const variables = listVariables();
  const input: Record<string, unknown> = {};
  for (const variable of variables) {
    // Inside a group the defaults are written out: the schema gives them for a group as a whole, or not at all.
    const value = read(variable) ?? (variable.path.length > 1 ? variable.defaultValue : undefined);
    if (value !== undefined) put(input, variable.path, value);
  }
  input.allowedOrigins ??= production ? [] : DEVELOPMENT_ORIGINS.split(',');
  const hasKeys = input.jwtKeys !== undefined || input.jwtJwksUrl !== undefined;
  if (input.jwtSecret === undefined && !hasKeys && production) {
    problems.push(
      'JWT_SECRET is not set: in production the server needs a secret of at least 32 characters, such as `openssl rand -base64 48` prints, or ASHLAR_JWT_KEYS or ASHLAR_JWT_JWKS_URL',
    );
  }
  const checked = Settings.safeParse(input);
  for (const issue of checked.error?.issues ?? []) {
    const path = issue.path.map(String);
    const variable = variables.find((one) => one.path.every((key, index) => key === path[index]));
    const name = variable?.name ?? path.join('.');
    const entry = variable?.kind === 'list' ? entryAt(input, issue.path, variable.path.length) : undefined;
    const given = entry ?? env[name] ?? '';
    // Where the variable's own sentence tells the form alone, the schema's says what is wrong.
    const form = variable?.allowed ?? 'text';
    const formAlone = issue.code === 'custom' || form === 'text' || form === 'a list with commas between';
    problems.push(describe(name, given, formAlone ? issue.message : form));
  }
  if (problems.length > 0 || !checked.success) throw new AshlarError('invalid-options', { detail: problems.join('\n') });

  // Only now, so that a wrong value elsewhere is told before a secret is made. Where there are keys, a secret that nobody asked for is none.
  const settings = { ...checked.data };
  if (!hasKeys) settings.jwtSecret ??= ports.developmentSecret(settings.dataDir);
  return { settings, port, host, production, warnings: unknownVariables(env, variables) };
}

/** The data folder alone, for commands that need no other setting. @param override the flag's, which goes first */
export function readDataDir(env: Env, override: string | undefined): string {
  return Settings.shape.dataDir.parse(override || env.DATA_DIR?.trim() || undefined);
}

/** The one entry of a list that is wrong. */
function entryAt(input: unknown, path: readonly PropertyKey[], depth: number): string | undefined {
  if (path.length === depth) return undefined;
  const value = path.reduce<unknown>((parent, key) => (parent as Record<PropertyKey, unknown> | undefined)?.[key], input);
  return typeof value === 'string' ? value : undefined;
}

/** One wrong value in one line. */
function describe(name: string, given: string, allowed: string): string {
  const shown = /SECRET|KEYS/.test(name) ? `${given.length} characters, not shown` : JSON.stringify(given.slice(0, 200));
  return `${name} is ${shown}; allowed: ${allowed}`;
}

/** A variable's text as the value that its setting takes; undefined where it is none. */
function convert(variable: Variable, text: string): unknown {
  switch (variable.kind) {
    case 'integer':
      return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
    case 'number':
      return /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : undefined;
    case 'boolean':
      return { true: true, '1': true, false: false, '0': false }[text.toLowerCase()];
    case 'list':
      return splitList(text);
    case 'access': {
      const { claim, wrong } = parseAccess(splitList(text));
      return wrong.length === 0 ? claim : undefined;
    }
    case 'json':
      return readJson(text);
    case 'text':
      return text;
  }
}

function readJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function put(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [key, ...rest] = path as [string, ...string[]];
  if (rest.length === 0) {
    target[key] = value;
    return;
  }
  const inner = (target[key] ?? {}) as Record<string, unknown>;
  target[key] = inner;
  put(inner, rest, value);
}

/** Variables that begin like ours and are none: most likely a misspelt limit that would be ignored in silence. */
function unknownVariables(env: Env, variables: readonly Variable[]): string[] {
  const known = new Set(variables.map(({ name }) => name));
  // Kubernetes puts ASHLAR_PORT… and ASHLAR_SERVICE_… into every pod beside a service named ashlar; ASHLAR_SKIP_BUILD is our tests'.
  const foreign = /^ASHLAR_(PORT|SERVICE_|SKIP_BUILD$)/;
  return Object.keys(env)
    .filter((name) => name.startsWith('ASHLAR_') && !known.has(name) && !foreign.test(name))
    .map((name) => `${name} is no setting of Ashlar's and was ignored; docs/configuration.md lists them all`);
}
