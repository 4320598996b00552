import { setTimeout as delay } from 'node:timers/promises';
import type { RequestView } from '../../core/approval.js';
import { HoopError } from '../../core/errors.js';
import type { AgentApi } from '../agent-api.js';
import type { ConnectionEvent } from '../tunnels/tunnel-keeper.js';

type Api = Pick<AgentApi, 'get' | 'post'>;

/** Longest that the agent holds an answer back, in seconds: below the time after which a silent peer is given up. */
const HELD_S = 10;
const RETRY_MS = 1_000;

export interface AccessAsked {
  readonly connection: string;
  /** `2h`; undefined: as long as the flow gives. */
  readonly duration?: string | undefined;
  readonly reason?: string | undefined;
}

/**
 * Asks for access to a connection.
 *
 * @returns the request, approved already under break-glass; undefined where the connection is open
 * @throws HoopError no_access, usage, approval_denied, limit, and those of the agent's interface
 */
export async function askAccess(api: Api, asked: AccessAsked): Promise<RequestView | undefined> {
  const { connection, duration, reason } = asked;
  const answer = await api.post<RequestView | { readonly access: 'open' }>('/v1/requests', {
    connection,
    ...(duration === undefined ? {} : { duration }),
    ...(reason === undefined ? {} : { reason }),
  });
  return 'access' in answer ? undefined : answer;
}

export interface DecisionWait {
  /** Longest wait, in ms; as long as the request is open where absent. */
  readonly waitMs?: number | undefined;
  /** Takes `approval.waiting` and `approval.resolved`. */
  readonly onEvent: (event: ConnectionEvent) => void;
  /** Aborted when the user asks to end: the request is withdrawn. */
  readonly interrupted: AbortSignal;
}

/**
 * Waits until people have decided. Whoever waits no longer withdraws the request: nothing is left open unseen.
 *
 * @returns the approved request; undefined after an interruption
 * @throws HoopError approval_denied, approval_timeout, and those of the agent's interface
 */
export async function awaitDecision(
  api: Api,
  request: RequestView,
  wait: DecisionWait,
): Promise<RequestView | undefined> {
  const timeout = wait.waitMs === undefined ? undefined : AbortSignal.timeout(wait.waitMs);
  const ends = AbortSignal.any([wait.interrupted, ...(timeout === undefined ? [] : [timeout])]);
  const decided = await follow(api, request, wait.onEvent, ends);
  const state = decided?.state ?? 'pending';
  if (decided !== undefined && state !== 'pending') {
    const { connection, id, decidedBy: by, decisionReason: reason } = decided;
    wait.onEvent({ event: 'approval.resolved', connection, request: id, outcome: state, by, reason });
    return approved(decided);
  }
  await api.post(`/v1/requests/${request.id}/withdraw`, {}).catch((error: unknown) => {
    // Decided in this very moment: then the decision stands and is of no use to anyone who left.
    if (!(error instanceof HoopError) || error.code !== 'already_decided') throw error;
  });
  if (wait.interrupted.aborted) return undefined;
  throw new HoopError('approval_timeout', 'approval not given in time', { why: 'the request is withdrawn' });
}

/** @returns the request once it is decided; undefined when the wait ends before */
async function follow(
  api: Api,
  request: RequestView,
  onEvent: DecisionWait['onEvent'],
  ends: AbortSignal,
): Promise<RequestView | undefined> {
  const ended = new Promise<undefined>((resolve) => {
    if (ends.aborted) resolve(undefined);
    ends.addEventListener('abort', () => {
      resolve(undefined);
    });
  });
  let votes = -1;
  let now: RequestView | undefined = request;
  while (now !== undefined && now.state === 'pending') {
    if (now.votes.length !== votes) onEvent(waitingEvent(now));
    votes = now.votes.length;
    now = await Promise.race([next(api, now), ended]);
  }
  return now;
}

function waitingEvent({ connection, id, flows, expiresAt, progress }: RequestView): ConnectionEvent {
  return { event: 'approval.waiting', connection, request: id, flows, expiresAt, progress: progress ?? [] };
}

/** The agent may be away for a while: a request for access waits there all the same. */
async function next(api: Api, request: RequestView): Promise<RequestView> {
  try {
    return await api.get<RequestView>(`/v1/requests/${request.id}?wait=${String(HELD_S)}`);
  } catch (error) {
    const late = Date.now() > Date.parse(request.expiresAt) + HELD_S * 1_000;
    if (!(error instanceof HoopError) || error.code !== 'unreachable' || late) throw error;
    await delay(RETRY_MS);
    return request;
  }
}

/** @throws HoopError where it ended without approval */
function approved(request: RequestView): RequestView {
  const { state, decidedBy, decisionReason } = request;
  const why = decisionReason === '' ? '' : `: ${decisionReason}`;
  if (state === 'approved') return request;
  if (state === 'denied') throw new HoopError('approval_denied', `approval denied by ${decidedBy}${why}`);
  if (state === 'expired') throw new HoopError('approval_timeout', 'approval not given in time');
  throw new HoopError('approval_denied', `the request was withdrawn${why}`);
}
