import { HoopError } from '../../core/errors.js';
import { meetsGroups, type Identity } from '../../core/identity.js';
import { readTextFields } from './body.js';
import type { HttpDependencies } from './dependencies.js';
import type { Answer, Call, Route } from './route.js';

/** The secret store: for administrators alone. Names come in the body, since values do; neither is ever in a path. */
export function secretRoutes(deps: HttpDependencies): readonly Route[] {
  const { secrets } = deps;
  if (secrets === undefined) return [];
  const change = (
    what: string,
    summary: string,
    fields: readonly string[],
    handler: (body: ReadonlyMap<string, string>, caller: Identity) => unknown,
  ): Route => ({
    method: 'POST',
    path: `/v1/secrets/${what}`,
    auth: 'user',
    summary: `${summary}; for administrators`,
    query: [],
    body: fields,
    handler: async ({ request }: Call, caller): Promise<Answer> => {
      requireAdministrator(deps, caller);
      return { json: await handler(await readTextFields(request, fields), caller) };
    },
  });
  return [
    {
      method: 'GET',
      path: '/v1/secrets',
      auth: 'user',
      summary: 'stored secrets, never their values; for administrators',
      query: [],
      handler: (_call, caller) => {
        requireAdministrator(deps, caller);
        return { json: secrets.list() };
      },
    },
    change('set', 'keep a value under a name', ['name', 'value'], (body, { subject }) =>
      secrets.set(body.get('name') ?? '', body.get('value') ?? '', subject),
    ),
    change('rotate', 'give a database role another password', ['name'], (body, { subject }) =>
      secrets.rotate(body.get('name') ?? '', subject),
    ),
    change('revoke', 'take a value away and end the sessions that use it', ['name'], (body, { subject }) =>
      secrets.revoke(body.get('name') ?? '', subject),
    ),
  ];
}

function requireAdministrator(deps: HttpDependencies, caller: Identity): void {
  if (!meetsGroups(deps.roles().admin, caller))
    throw new HoopError('not_allowed', 'secrets are for administrators of the agent', {
      suggestion: 'ask somebody of the groups in `spec.roles.admin` of the agent',
    });
}
