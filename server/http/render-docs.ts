import { createHash } from 'node:crypto';
import type { OpenApi } from './build-openapi.ts';

// Rendered here instead of by swagger-ui, which loads itself from a CDN: a page of an internal server must work without one.
const STYLE = `
:root { color-scheme: light dark; --edge: #8884; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { border-top: 1px solid var(--edge); padding-top: 1.5rem; margin-top: 2rem; }
code, pre { font: 14px/1.4 ui-monospace, monospace; }
pre { overflow-x: auto; padding: .75rem 1rem; border: 1px solid var(--edge); border-radius: 6px; }
.method { font-weight: 700; }
table { border-collapse: collapse; width: 100%; }
td { border-top: 1px solid var(--edge); padding: .4rem .75rem .4rem 0; vertical-align: top; }
details { margin: .5rem 0; } summary { cursor: pointer; }
`;

/** The page's Content-Security-Policy: no script, no request; its own style alone. */
export const DOCS_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; frame-ancestors 'none'; base-uri 'none'`;

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (mark) => ESCAPES[mark] ?? mark);
/** Text with `code` in backticks. */
const prose = (text: string) => escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>');
const schemaBlock = (title: string, value: unknown) =>
  `<details><summary>${escapeHtml(title)}</summary><pre>${escapeHtml(JSON.stringify(value, null, 2))}</pre></details>`;

/**
 * The OpenAPI description as one HTML page that needs nothing else: no script, no font, no CDN.
 * @param openapiPath where the description itself is served
 */
export function renderDocs(openapi: OpenApi, openapiPath: string): string {
  const { info, paths, components } = openapi;
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    (['get', 'post'] as const).flatMap((method) => {
      const operation = item[method];
      return operation === undefined ? [] : [renderOperation(method, path, operation)];
    }),
  );
  const schemas = Object.entries(components.schemas ?? {});
  const events = schemas.filter(([name]) => name.startsWith('event.'));
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(info.title)} HTTP API</title><style>${STYLE}</style></head>
<body>
<h1>${escapeHtml(info.title)} HTTP API</h1>
<p>${prose(info.description)}</p>
<p>As OpenAPI: <a href="${escapeHtml(openapiPath)}">${escapeHtml(openapiPath)}</a></p>
${operations.join('\n')}
<h2>Events that a backend may publish</h2>
${events.map(([name, schema]) => schemaBlock(titleOf(schema) ?? name, schema)).join('\n')}
</body>
</html>
`;
}

type Operation = NonNullable<OpenApi['paths'][string]['get']>;

function renderOperation(method: string, path: string, operation: Operation): string {
  const body = operation.requestBody === undefined ? '' : schemaBlock('Body', operation.requestBody);
  const parameters = (operation.parameters ?? []).map((parameter) =>
    'name' in parameter
      ? `<p>${parameter.in === 'header' ? 'Header' : 'Parameter'} <code>${escapeHtml(parameter.name)}</code>: ${prose(parameter.description ?? '')}</p>`
      : '',
  );
  const responses = Object.entries(operation.responses ?? {}).map(([status, response]) => {
    const description = 'description' in response ? (response.description ?? '') : '';
    return `<tr><td><code>${escapeHtml(status)}</code></td><td>${prose(description)}${status === '200' ? schemaBlock('Answer', response) : ''}</td></tr>`;
  });
  return `<h2><code><span class="method">${method.toUpperCase()}</span> ${escapeHtml(path)}</code></h2>
<p><strong>${prose(operation.summary ?? '')}</strong></p>
<p>${prose(operation.description ?? '')}</p>
${parameters.join('\n')}
${body}
<table>${responses.join('')}</table>`;
}

function titleOf(schema: object): string | undefined {
  return 'title' in schema && typeof schema.title === 'string' ? schema.title : undefined;
}
