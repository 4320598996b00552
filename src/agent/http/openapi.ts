import type { Route } from './route.js';

const FAILURE = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message', 'suggestion'],
      properties: { code: { type: 'string' }, message: { type: 'string' }, suggestion: { type: 'string' } },
    },
  },
};

/**
 * The route table as an OpenAPI document: made from what is served, so it can't say anything else.
 *
 * @see https://spec.openapis.org/oas/v3.1.0
 */
export function describeRoutes(routes: readonly Route[], version: string): unknown {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = route.path.replace(':id', '{id}');
    (paths[path] ??= {})[route.method.toLowerCase()] = operationOf(route);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'hoop agent', version },
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        key: { type: 'apiKey', in: 'header', name: 'x-api-key' },
      },
      schemas: { Failure: FAILURE },
    },
  };
}

function operationOf(route: Route): unknown {
  const id = route.path.includes(':id')
    ? [{ name: 'id', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } }]
    : [];
  const query = route.query.map((name) => ({ name, in: 'query', required: false, schema: { type: 'string' } }));
  const failure = {
    description: 'refused or failed',
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Failure' } } },
  };
  return {
    summary: route.summary,
    ...(route.auth === 'user' ? { security: [{ token: [] }, { key: [] }] } : { security: [] }),
    ...(id.length + query.length > 0 ? { parameters: [...id, ...query] } : {}),
    ...(route.body === undefined ? {} : { requestBody: bodyOf(route.body) }),
    responses: {
      '200': { description: route.summary },
      ...(route.auth === 'user' ? { '401': failure } : {}),
      default: failure,
    },
  };
}

function bodyOf(fields: readonly string[]): unknown {
  const properties = Object.fromEntries(fields.map((name) => [name, { type: 'string' }]));
  return {
    required: false,
    content: { 'application/json': { schema: { type: 'object', additionalProperties: false, properties } } },
  };
}
