import type { HttpDependencies } from './dependencies.js';
import { describeRoutes } from './openapi.js';
import type { Answer, Route } from './route.js';

/** What anyone may ask: is it alive, is it ready, how does one log in. */
export function publicRoutes(deps: HttpDependencies, routes: () => readonly Route[]): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/healthz',
      auth: 'public',
      summary: 'is the process alive',
      query: [],
      handler: () => ({ json: { status: 'ok' } }),
    },
    {
      method: 'GET',
      path: '/readyz',
      auth: 'public',
      summary: 'can the agent serve: 200 or 503',
      query: [],
      handler: () => readinessOf(deps),
    },
    {
      method: 'GET',
      path: '/metrics',
      auth: 'public',
      summary: 'figures for Prometheus',
      query: [],
      handler: async () => ({
        text: await deps.metrics.registry.metrics(),
        contentType: deps.metrics.registry.contentType,
      }),
    },
    {
      method: 'GET',
      path: '/.well-known/hoop',
      auth: 'public',
      summary: 'version, issuer, client id, scopes and recording keys',
      query: [],
      handler: () => ({ json: deps.card() }),
    },
    {
      method: 'GET',
      path: '/v1/openapi.json',
      auth: 'public',
      summary: 'this interface as OpenAPI',
      query: [],
      handler: () => ({ json: describeRoutes(routes(), deps.card().version) }),
    },
  ];
}

function readinessOf(deps: HttpDependencies): Answer {
  const checks = deps.readiness();
  const ready = checks.every((check) => check.ready);
  const attention = deps.attention?.() ?? [];
  return { status: ready ? 200 : 503, json: { ready, checks, ...(attention.length > 0 ? { attention } : {}) } };
}
