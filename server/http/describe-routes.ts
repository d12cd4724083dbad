import { type DescribeRouteOptions, resolver } from 'hono-openapi';
import type * as z from 'zod';
import { ERRORS, type ErrorCode } from '../../shared/errors.ts';
import { HTTP_STATUS } from '../../shared/http-status.ts';
import { ErrorResponse, HealthResponse, IdempotencyKey, PublishBody, PublishResponse, StatsResponse } from './schemas.ts';

type Responses = NonNullable<DescribeRouteOptions['responses']>;

const json = (schema: z.ZodType) => ({ 'application/json': { schema: resolver(schema) } });
const ok = (description: string, schema: z.ZodType): Responses => ({ '200': { description, content: json(schema) } });

/** The refusals of a route, by status: the sentences of the error table. */
function refusals(...statuses: number[]): Responses {
  const entries = statuses.map((status) => {
    const sentences = Object.entries(ERRORS).filter(([code]) => HTTP_STATUS[code as ErrorCode] === status);
    const description = sentences.map(([code, error]) => `\`${code}\`: ${error.message}`).join('. ');
    return [String(status), { description, content: json(ErrorResponse) }] as const;
  });
  return Object.fromEntries(entries);
}

const bearer = [{ bearer: [] }];

export const describePublish: DescribeRouteOptions = {
  operationId: 'publishEvents',
  summary: 'Publish events',
  description:
    'One event, or a list of up to 1,000: all are checked before any is taken. Needs `permissions: ["publish"]`, and `write` access to the room where the token has an `access` claim; without that claim it publishes into every room. Answers when the promise of each event’s delivery class holds: what is logged is on disk.',
  security: bearer,
  parameters: [
    {
      name: 'Idempotency-Key',
      in: 'header',
      required: false,
      description: IdempotencyKey.description ?? '',
      schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[!-~]+$' },
    },
  ],
  requestBody: { required: true, content: json(PublishBody) },
  responses: {
    ...ok('Taken; for what was logged, with its place in the log', PublishResponse),
    ...refusals(400, 401, 403, 404, 413, 415, 422, 429, 503, 507),
  },
};

export const describeStats: DescribeRouteOptions = {
  operationId: 'readStats',
  summary: 'Who is connected',
  description: 'Needs `permissions: ["stats"]` or the role `admin`.',
  security: bearer,
  responses: { ...ok('Connections, users, and members per room', StatsResponse), ...refusals(401, 403, 429) },
};

export const describeMetrics: DescribeRouteOptions = {
  operationId: 'getMetrics',
  summary: 'Counters for Prometheus',
  description:
    'Needs `permissions: ["stats"]`. Answered where the setting `metrics` is on: by a standalone server unless it is turned off, and beside an app only if it is turned on.',
  security: bearer,
  responses: { '200': { description: 'OpenMetrics text' }, ...refusals(401, 403, 429, 503) },
};

export const describeHealth: DescribeRouteOptions = {
  operationId: 'checkHealth',
  summary: 'Whether the process lives',
  responses: ok('It does', HealthResponse),
};

export const describeReadiness: DescribeRouteOptions = {
  operationId: 'checkReadiness',
  summary: 'Whether the server can do its work',
  description: 'Proves it: something is written to the store and synced.',
  responses: { ...ok('The store takes writes', HealthResponse), ...refusals(503, 507) },
};

export const describeDescription: DescribeRouteOptions = {
  operationId: 'describeApi',
  summary: 'This description',
  responses: {
    '200': { description: 'OpenAPI 3.1', content: { 'application/json': { schema: { type: 'object' } } } },
  },
};

export const describeDocs: DescribeRouteOptions = {
  operationId: 'readDocs',
  summary: 'This description as a page',
  responses: { '200': { description: 'A page', content: { 'text/html': { schema: { type: 'string' } } } } },
};
