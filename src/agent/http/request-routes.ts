import type { Approvals } from '../../approvals/approvals.js';
import { permittedConnection } from '../../connections/access.js';
import type { ApprovalRequest } from '../../core/approval.js';
import { HoopError } from '../../core/errors.js';
import type { Identity } from '../../core/identity.js';
import type { LoginLimit } from '../callers/login-limit.js';
import { requestAccess } from '../holds/request-access.js';
import type { AddressOf } from './client-address.js';
import type { HttpDependencies } from './dependencies.js';
import { viewOf } from './request-answers.js';
import { readFields } from './request-fields.js';
import type { Answer, Call, Route } from './route.js';

/** Longest list of requests in one answer, newest first. */
const MAX_LISTED = 1_000;
/** Longest that an answer is held back until something changes, in seconds. */
const MAX_WAIT_S = 60;
const ACCESS_FIELDS = ['connection', 'duration', 'reason'] as const;
/** Most characters of what a client calls itself. */
const MAX_AGENT_CHARS = 200;

interface Callers {
  readonly logins: Pick<LoginLimit, 'subject'>;
  readonly addressOf: AddressOf;
}

/**
 * Requests for approval: made, read, decided, withdrawn. Who may see and decide what, `approvals` says.
 *
 * @param callers `logins` bounds asking for connections that are not the caller's
 */
export function requestRoutes(deps: HttpDependencies, callers: Callers): readonly Route[] {
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
      summary: 'one request; with `wait`, once it changes or that many seconds are over',
      query: ['wait'],
      handler: async (call, caller) => {
        const request = approvals.get(caller, call.id);
        await changeOf(approvals, request, call);
        return { json: viewOf(approvals, caller, approvals.get(caller, call.id)) };
      },
    },
    previewRoute(deps),
    decisionRoute(deps, 'approve'),
    decisionRoute(deps, 'deny'),
    ...ownRoutes(deps, callers),
  ];
}

/** What only the one who asks does. */
function ownRoutes(deps: HttpDependencies, callers: Callers): readonly Route[] {
  const { approvals } = deps;
  return [
    {
      method: 'POST',
      path: '/v1/requests',
      auth: 'user',
      summary: 'ask for time-bound access to a connection',
      query: [],
      body: ACCESS_FIELDS,
      handler: (call, caller) => askAccess(deps, callers, call, caller),
    },
    {
      method: 'POST',
      path: '/v1/requests/:id/withdraw',
      auth: 'user',
      summary: 'withdraw a request of one’s own',
      query: [],
      handler: ({ id }, caller) => ({ json: viewOf(approvals, caller, approvals.withdrawOwn(caller, id)) }),
    },
  ];
}

function previewRoute({ approvals, preview }: HttpDependencies): Route {
  return {
    method: 'POST',
    path: '/v1/requests/:id/preview',
    auth: 'user',
    summary: 'what a held statement would do, tried out and rolled back',
    query: [],
    handler: async ({ id }, caller): Promise<Answer> => {
      const request = approvals.get(caller, id);
      if (!approvals.mayDecide(caller, request))
        throw new HoopError('not_allowed', 'you are not a reviewer of this request');
      return { json: await preview(id, caller) };
    },
  };
}

function decisionRoute({ approvals, withoutSecrets }: HttpDependencies, verdict: 'approve' | 'deny'): Route {
  const body = verdict === 'approve' ? ['reason', 'duration'] : ['reason'];
  return {
    method: 'POST',
    path: `/v1/requests/:id/${verdict}`,
    auth: 'user',
    summary: `${verdict} a request`,
    query: [],
    body,
    handler: async ({ id, request }, caller): Promise<Answer> => {
      const { text, durationMs } = await readFields(request, body);
      const reason = withoutSecrets(text('reason'));
      return { json: viewOf(approvals, caller, approvals.decide(id, caller, verdict, reason, durationMs)) };
    },
  };
}

/** Answers with the request, or with the connection where nothing has to be asked for. */
async function askAccess(
  deps: HttpDependencies,
  { logins, addressOf }: Callers,
  { request: incoming }: Call,
  caller: Identity,
): Promise<Answer> {
  const { approvals } = deps;
  const { text, durationMs } = await readFields(incoming, ACCESS_FIELDS);
  const permitted = logins.subject(caller, () => permittedConnection(deps.connections(), text('connection'), caller));
  const { name, access } = permitted.connection;
  if (access.approval === undefined) return { json: { connection: name, access: 'open' } };
  const flow = deps.flow(access.approval);
  if (flow === undefined) throw new HoopError('config_invalid', 'the flow that gives access is not configured');
  const request = requestAccess(approvals, {
    caller,
    permitted,
    flow,
    durationMs,
    reason: deps.withoutSecrets(text('reason')),
    address: addressOf(incoming),
    application: incoming.headers['user-agent']?.slice(0, MAX_AGENT_CHARS) ?? '',
  });
  return { json: viewOf(approvals, caller, request) };
}

/** Resolves when a request that waits has changed, the time is over or the caller has gone; at once where no wait is asked for. */
function changeOf(approvals: Approvals, request: ApprovalRequest, call: Call): Promise<void> {
  const given = call.query.get('wait') ?? '0';
  const seconds = /^\d{1,3}$/.test(given) ? Number(given) : Infinity;
  if (seconds > MAX_WAIT_S)
    throw new HoopError('usage', `query parameter wait must be 0 to ${String(MAX_WAIT_S)} seconds`);
  if (seconds === 0 || request.state !== 'pending') return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      unwatch();
      clearTimeout(timer);
      call.request.socket.off('close', done);
      resolve();
    };
    const unwatch = approvals.watch(request.id, (now) => {
      if (now.state !== 'pending' || now.votes.length !== request.votes.length) done();
    });
    const timer = setTimeout(done, seconds * 1_000);
    call.request.socket.once('close', done);
  });
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
