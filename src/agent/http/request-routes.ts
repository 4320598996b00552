import type { Approvals } from '../../approvals/approvals.js';
import type { ApprovalRequest, RequestView } from '../../core/approval.js';
import { HoopError } from '../../core/errors.js';
import type { Identity } from '../../core/identity.js';
import { readTextFields } from './body.js';
import type { HttpDependencies } from './dependencies.js';
import type { Call, Answer, Route } from './route.js';

/** Longest list of requests in one answer, newest first. */
const MAX_LISTED = 1_000;
/** Longest reason of a decision, in characters. */
const MAX_REASON_LENGTH = 4_000;

/** Requests for approval: read and decide. Who may see and decide what, `approvals` says. */
export function requestRoutes(deps: HttpDependencies): readonly Route[] {
  const { approvals } = deps;
  return [
    {
      method: 'GET',
      path: '/v1/requests',
      auth: 'user',
      summary: 'requests of the caller, and those they may review, newest first',
      query: ['state', 'mine'],
      handler: (call, caller) => ({
        json: approvals
          .list(caller, {
            state: choice(call, 'state', ['pending', 'all']),
            mine: choice(call, 'mine', ['false', 'true']) === 'true',
          })
          .slice(0, MAX_LISTED)
          .map((request) => viewOf(approvals, caller, request)),
      }),
    },
    {
      method: 'GET',
      path: '/v1/requests/:id',
      auth: 'user',
      summary: 'one request',
      query: [],
      handler: ({ id }, caller) => ({ json: viewOf(approvals, caller, approvals.get(caller, id)) }),
    },
    decisionRoute(approvals, 'approve'),
    decisionRoute(approvals, 'deny'),
  ];
}

function decisionRoute(approvals: Approvals, verdict: 'approve' | 'deny'): Route {
  return {
    method: 'POST',
    path: `/v1/requests/:id/${verdict}`,
    auth: 'user',
    summary: `${verdict} a request`,
    query: [],
    body: ['reason'],
    handler: async ({ id, request }, caller): Promise<Answer> => {
      const reason = (await readTextFields(request, ['reason'])).get('reason') ?? '';
      if (reason.length > MAX_REASON_LENGTH)
        throw new HoopError('usage', `the reason is longer than ${MAX_REASON_LENGTH} characters`);
      return { json: viewOf(approvals, caller, approvals.decide(id, caller, verdict, reason)) };
    },
  };
}

/** What callers see; the hash is nobody's business but the agent's. */
export function viewOf(
  approvals: Pick<Approvals, 'mayDecide'>,
  caller: Identity,
  request: ApprovalRequest,
): RequestView {
  const { bindHash: _hidden, ...shown } = request;
  return { ...shown, mayDecide: request.state === 'pending' && approvals.mayDecide(caller, request) };
}

/** A parameter's value out of a list; the first where it is absent. */
export function choice<const Values extends readonly [string, ...string[]]>(
  call: Call,
  name: string,
  values: Values,
): Values[number] {
  const given = call.query.get(name) ?? values[0];
  const found = values.find((value) => value === given);
  if (found === undefined) throw new HoopError('usage', `query parameter ${name} must be ${values.join(' or ')}`);
  return found;
}
