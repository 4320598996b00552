import { HoopError } from '../../core/errors.js';
import type { Identity } from '../../core/identity.js';
import type { HttpDependencies } from './dependencies.js';
import type { Call, Route } from './route.js';
import { limitOf, mayReadAll, moment } from './session-routes.js';

/** For auditors and administrators: who read recordings, and evidence of a span of time. */
export function auditRoutes(deps: HttpDependencies): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/audit/readings',
      auth: 'user',
      summary: 'who read which recording, newest first; for auditors',
      query: ['session', 'user', 'since', 'until', 'cursor', 'limit'],
      handler: ({ query }, caller) => {
        auditorOnly(deps, caller);
        const texts = ['session', 'user', 'cursor'].flatMap((name) =>
          query.has(name) ? [[name, query.get(name)]] : [],
        );
        return {
          json: deps.audit.readings({
            ...(Object.fromEntries(texts) as { readonly session?: string }),
            ...moment(query, 'since'),
            ...moment(query, 'until'),
            limit: limitOf(query.get('limit')),
          }),
        };
      },
    },
    {
      method: 'GET',
      path: '/v1/audit/export',
      auth: 'user',
      summary: 'evidence of a span of time as a tar archive; for auditors',
      query: ['from', 'to'],
      handler: ({ query }, caller) => {
        auditorOnly(deps, caller);
        const span = { from: needed(query, 'from'), to: needed(query, 'to') };
        if (span.from >= span.to) throw new HoopError('usage', 'the span of time ends before it begins');
        return { stream: deps.audit.export(caller, span), contentType: 'application/x-tar' };
      },
    },
  ];
}

function auditorOnly(deps: HttpDependencies, caller: Identity): void {
  if (mayReadAll(deps, caller)) return;
  throw new HoopError('not_allowed', 'this is for auditors and administrators');
}

function needed(query: Call['query'], name: 'from' | 'to'): string {
  const found = moment(query, name)[name];
  if (found === undefined) throw new HoopError('usage', `query parameter ${name} is needed`);
  return found;
}
