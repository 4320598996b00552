import { HoopError } from '../../core/errors.js';
import type { Identity } from '../../core/identity.js';
import { meetsGroups } from '../../core/identity.js';
import type { SessionSummary } from '../../core/session-summary.js';
import type { Follower, HttpDependencies, SessionFilter } from './dependencies.js';
import type { Call, Route } from './route.js';

const DEFAULT_LISTED = 100;
const MAX_LISTED = 1_000;
/** Filters that are taken as they come. */
const TEXT_FILTERS = [
  'user',
  'group',
  'connection',
  'verdict',
  'rule',
  'table',
  'entity',
  'approval',
  'text',
  'correlationId',
  'cursor',
] as const;

/** Recorded sessions: the owner reads their own, auditors and administrators all. */
export function sessionRoutes(deps: HttpDependencies): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/sessions',
      auth: 'user',
      summary: 'sessions that the caller may read, newest first',
      query: [...TEXT_FILTERS, 'since', 'until', 'blocked', 'limit'],
      handler: (call, caller) => ({ json: deps.sessions.list(filterOf(call, caller, mayReadAll(deps, caller))) }),
    },
    {
      method: 'GET',
      path: '/v1/sessions/:id',
      auth: 'user',
      summary: 'one session',
      query: [],
      handler: ({ id }, caller) => ({ json: readable(deps, id, caller) }),
    },
    {
      method: 'GET',
      path: '/v1/sessions/:id/recording',
      auth: 'user',
      summary: 'the recording, one event a line, as it stands; with follow=true what comes as well, until it is sealed',
      query: ['follow'],
      handler: async (call, caller) => {
        const follows = flag(call.query.get('follow'), 'follow');
        const session = readable(deps, call.id, caller);
        deps.audit.reads(caller, call.id);
        const stream = await deps.openRecording(session, follows ? follower(deps, call, caller) : undefined);
        if (stream === undefined) throw new HoopError('not_found', 'the session has no recording (any more)');
        return { stream, contentType: 'application/x-ndjson' };
      },
    },
  ];
}

/** Auditors and administrators. */
export function mayReadAll(deps: HttpDependencies, caller: Identity): boolean {
  const { admin, auditor } = deps.roles();
  return meetsGroups(admin, caller) || meetsGroups(auditor, caller);
}

/** Rights are looked at while reading too: a role that was taken away ends the stream. */
function follower(deps: HttpDependencies, { id, request }: Call, caller: Identity): Follower {
  return {
    expiresAt: caller.expiresAt,
    check: () => {
      if (request.socket.destroyed) throw new HoopError('unreachable', 'who read the recording has gone');
      readable(deps, id, caller);
    },
  };
}

/** One answer for "not there" and "not yours". */
function readable(deps: HttpDependencies, id: string, caller: Identity): SessionSummary {
  const session = deps.sessions.get(id);
  const own = session?.subject === caller.subject && session.issuer === caller.issuer;
  if (session === undefined || !(own || mayReadAll(deps, caller))) throw new HoopError('not_found', 'no such session');
  return session;
}

function filterOf({ query }: Call, caller: Identity, all: boolean): SessionFilter {
  return {
    ...(all ? {} : { owner: { subject: caller.subject, issuer: caller.issuer } }),
    ...Object.fromEntries(TEXT_FILTERS.flatMap((name) => (query.has(name) ? [[name, query.get(name)]] : []))),
    ...moment(query, 'since'),
    ...moment(query, 'until'),
    ...(flag(query.get('blocked'), 'blocked') ? { blocked: true as const } : {}),
    limit: limitOf(query.get('limit')),
  };
}

function flag(value: string | undefined, name: string): boolean {
  if (value === undefined || value === 'false') return false;
  if (value !== 'true') throw new HoopError('usage', `query parameter ${name} must be true or false`);
  return true;
}

/** @throws HoopError `usage` */
export function limitOf(value: string | undefined): number {
  if (value === undefined) return DEFAULT_LISTED;
  const limit = /^\d{1,4}$/.test(value) ? Number(value) : 0;
  if (limit < 1 || limit > MAX_LISTED) throw new HoopError('usage', `query parameter limit must be 1 to ${MAX_LISTED}`);
  return limit;
}

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/i;

/** A moment as UTC, so that text order is time order. @throws HoopError `usage` */
export function moment<Name extends string>(query: Call['query'], name: Name): { readonly [Key in Name]?: string } {
  const value = query.get(name);
  if (value === undefined) return {};
  const atMs = RFC3339.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(atMs))
    throw new HoopError('usage', `query parameter ${name} must be a time as in 2026-11-21T04:30:44Z`);
  return { [name]: new Date(atMs).toISOString() } as { readonly [Key in Name]?: string };
}
