import * as z from 'zod';
import { ACCESS_LEVELS } from '../shared/access.ts';
import { Settings } from './options.ts';

/** One setting as an environment variable. */
export interface Variable {
  readonly name: string;
  /** Where it goes in the settings: `['limits', 'eventsPerMinute']`. */
  readonly path: readonly string[];
  readonly kind: 'integer' | 'number' | 'boolean' | 'text' | 'list' | 'access' | 'json';
  /** What may be written, for people. */
  readonly allowed: string;
  readonly description: string;
  /** undefined: none. */
  readonly defaultValue: unknown;
}

// Names that operators of other servers know already. All others are made from the setting's path.
const SHORT_NAMES: Readonly<Record<string, string>> = {
  jwtSecret: 'JWT_SECRET',
  allowedOrigins: 'FRONTEND_URL',
  dataDir: 'DATA_DIR',
  logLevel: 'LOG_LEVEL',
};

/** `['limits', 'eventsPerMinute']` → `ASHLAR_LIMITS_EVENTS_PER_MINUTE`. */
function variableName(path: readonly string[]): string {
  const short = path.length === 1 ? SHORT_NAMES[path[0] as string] : undefined;
  const snake = path.map((key) => key.replace(/[A-Z]/g, (letter) => `_${letter}`)).join('_');
  return short ?? `ASHLAR_${snake.toUpperCase()}`;
}

/** Every setting that the schema knows, in its order: a new one has its variable, its check and its line in the docs at once. */
export function listVariables(): readonly Variable[] {
  const schema = z.toJSONSchema(Settings, { io: 'output', unrepresentable: 'any' }) as JsonSchema;
  const defaults: unknown = Settings.parse({ jwtSecret: 'x'.repeat(64) });
  return leaves(schema, []).map(({ path, leaf, description }) => ({
    name: variableName(path),
    path,
    description,
    defaultValue: path[0] === 'jwtSecret' ? undefined : valueAt(defaults, path),
    ...kindOf(leaf),
  }));
}

interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly required?: readonly string[];
}

interface Leaf {
  readonly path: readonly string[];
  readonly leaf: JsonSchema;
  readonly description: string;
}

function leaves(schema: JsonSchema, path: readonly string[], above = ''): Leaf[] {
  const description = schema.description ?? above;
  if (schema.properties === undefined) return [{ path, leaf: schema, description }];
  return Object.entries(schema.properties).flatMap(([key, inner]) => leaves(inner, [...path, key], description));
}

function kindOf(leaf: JsonSchema): Pick<Variable, 'kind' | 'allowed'> {
  switch (leaf.type) {
    case 'integer':
      return { kind: 'integer', allowed: `a whole number from ${leaf.minimum ?? (leaf.exclusiveMinimum ?? 0) + 1}` };
    case 'number':
      return { kind: 'number', allowed: `a number from ${leaf.minimum ?? leaf.exclusiveMinimum ?? 0} to ${leaf.maximum ?? 1}` };
    case 'boolean':
      return { kind: 'boolean', allowed: 'true or false' };
    case 'array':
      if (leaf.items?.type === 'object') return { kind: 'json', allowed: `a JSON array of ${objectOf(leaf.items)}` };
      return {
        kind: 'list',
        allowed: `a list with commas between${leaf.items?.enum ? `, of ${leaf.items.enum.join(', ')}` : ''}`,
      };
    case 'object':
      return { kind: 'access', allowed: `pattern=level with commas between; levels: ${ACCESS_LEVELS.join(', ')}` };
    default:
      if (leaf.enum !== undefined) return { kind: 'text', allowed: `one of ${leaf.enum.join(', ')}` };
      return { kind: 'text', allowed: (leaf.minLength ?? 0) > 1 ? `at least ${leaf.minLength} characters` : 'text' };
  }
}

function objectOf({ properties = {}, required = [] }: JsonSchema): string {
  return `{ ${Object.keys(properties)
    .map((key) => (required.includes(key) ? key : `${key}?`))
    .join(', ')} }`;
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value);
}
