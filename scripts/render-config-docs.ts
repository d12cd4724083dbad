import { SERVER_VARIABLES } from '../server/config.ts';
import { listVariables, type Variable } from '../server/config-variables.ts';

const INTRO = `# Configuration

Written by \`npm run docs:config\` from the schema that checks the values; a test fails while it is out of date.

A standalone server (\`ashlar serve\`) reads its environment once, at the start. Code that makes its own server gives the same
settings as options: \`new RealtimeServer({ limits: { eventsPerMinute: 300 } })\`. An empty variable counts as not set. A wrong value stops
the start, and every wrong value is told at once, with its variable, what was given (never a secret), and what is allowed.

In development (\`NODE_ENV\` is not \`production\`) a server without \`JWT_SECRET\` makes a secret and keeps it in \`<DATA_DIR>/secret\`, readable
by its owner alone, and pages of a local Vite (\`http://localhost:5173\`, \`http://127.0.0.1:5173\`) may connect unless \`FRONTEND_URL\` says
otherwise. In production \`JWT_SECRET\` is needed.

Four flags go before the environment: \`--port\`, \`--host\`, \`--data-dir\`, \`--log-level\`. A list is written with commas:
\`FRONTEND_URL=https://app.example.com,https://admin.example.com\`; so is access: \`ASHLAR_DEFAULT_ACCESS=dashboard=read,batch:*=read\`.
`;

const COLUMNS = '| variable | option | allowed | default | meaning |\n| --- | --- | --- | --- | --- |';

/** docs/configuration.md, as the schema is now. */
export function renderConfigDocs(): string {
  const all = listVariables();
  const limits = all.filter(({ path }) => path[0] === 'limits');
  const rest = all.filter(({ path }) => path[0] !== 'limits');
  return [
    INTRO,
    `## Server\n\n${table(SERVER_VARIABLES, () => '')}`,
    `## Settings\n\n${table(rest, optionOf)}`,
    `## Limits\n\nHow much one sender may do. Rates are token buckets.\n\n${table(limits, optionOf)}`,
  ].join('\n');
}

function table(variables: readonly Variable[], option: (variable: Variable) => string): string {
  const rows = variables.map((variable) => {
    const cells = [
      `\`${variable.name}\``,
      option(variable),
      variable.allowed,
      showDefault(variable.defaultValue),
      variable.description,
    ];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return `${COLUMNS}\n${rows.join('\n')}\n`;
}

const optionOf = ({ path }: Variable) => `\`${path.join('.')}\``;

function showDefault(value: unknown): string {
  if (value === undefined || value === '') return '';
  if (Array.isArray(value)) return value.length === 0 ? '' : `\`${value.join(',')}\``;
  if (typeof value === 'object' && value !== null) {
    return `\`${Object.entries(value)
      .map(([pattern, level]) => `${pattern}=${level}`)
      .join(',')}\``;
  }
  return `\`${value}\``;
}
