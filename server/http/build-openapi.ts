import { generateSpecs } from 'hono-openapi';
import * as z from 'zod';
import type { AnyEventDefinition } from '../../shared/define-event.ts';
import type { HttpApi } from './hono-env.ts';

type Specs = Awaited<ReturnType<typeof generateSpecs>>;

/** The OpenAPI 3.1 description of the API, with the payload of every event that a backend may publish. */
export type OpenApi = Specs;

const BEARER = {
  type: 'http',
  scheme: 'bearer',
  bearerFormat: 'JWT',
  description: 'the token that sockets present too',
} as const;

/**
 * Describes an API from the schemas that its routes check by.
 * @param events the catalog's definitions; the payload schemas of those that the backend sends become components `event.<name>`
 * @param version Ashlar's
 */
export async function buildOpenApi(app: HttpApi, events: Iterable<AnyEventDefinition>, version: string): Promise<OpenApi> {
  return generateSpecs(app, {
    excludeStaticFile: false,
    documentation: {
      openapi: '3.1.0',
      info: {
        title: 'Ashlar',
        version,
        description:
          'Publishes domain events into rooms, and tells how the server is. Answers are `{ success, data }` or `{ success, error }`.',
      },
      components: { securitySchemes: { bearer: BEARER }, schemas: describeEvents(events) },
    },
  });
}

function describeEvents(events: Iterable<AnyEventDefinition>): Record<string, object> {
  const schemas: Record<string, object> = {};
  for (const definition of events) {
    if (!definition.sentBy.includes('backend')) continue;
    // A product's payload may hold what JSON Schema cannot say: then that part is left open.
    const { $schema: _dialect, ...schema } = z.toJSONSchema(definition.payload, { unrepresentable: 'any', io: 'input' });
    schemas[`event.${definition.name.replaceAll(':', '.')}`] = {
      title: definition.name,
      description: `room ${definition.room}, delivery class ${definition.delivery.class}`,
      ...schema,
    };
  }
  return schemas;
}
