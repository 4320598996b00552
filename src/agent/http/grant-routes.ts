import type { Identity } from '../../core/identity.js';
import { meetsGroups } from '../../core/identity.js';
import type { HttpDependencies } from './dependencies.js';
import { grantViewOf } from './request-answers.js';
import { readFields } from './request-fields.js';
import { choice } from './request-routes.js';
import type { Route } from './route.js';

/** Longest list of grants in one answer, newest first. */
const MAX_LISTED = 1_000;

/** What approvals left behind: its owner, its reviewers and administrators see and end it. */
export function grantRoutes(deps: HttpDependencies): readonly Route[] {
  const { approvals } = deps;
  const isAdmin = (caller: Identity): boolean => meetsGroups(deps.roles().admin, caller);
  return [
    {
      method: 'GET',
      path: '/v1/grants',
      auth: 'user',
      summary: 'grants of the caller, and of requests they may review, newest first',
      query: ['state', 'mine'],
      handler: (call, caller) => {
        const filter = {
          state: choice(call, 'state', ['active', 'all']),
          mine: choice(call, 'mine', ['false', 'true']) === 'true',
        };
        const everyone = isAdmin(caller);
        const found = approvals.grants(caller, filter, everyone).slice(0, MAX_LISTED);
        return { json: found.map((grant) => grantViewOf(approvals, caller, grant, everyone)) };
      },
    },
    {
      method: 'POST',
      path: '/v1/grants/:id/revoke',
      auth: 'user',
      summary: 'end a grant, by its id or that of its request',
      query: [],
      body: ['reason'],
      handler: async ({ id, request }, caller) => {
        const { text } = await readFields(request, ['reason']);
        const everyone = isAdmin(caller);
        const ended = approvals.revoke(caller, id, deps.withoutSecrets(text('reason')), everyone);
        return { json: ended.map((grant) => grantViewOf(approvals, caller, grant, everyone)) };
      },
    },
  ];
}
