import type { RequestView } from '../../core/approval.js';
import type { ConnectionSummary } from '../../core/connection-summary.js';
import type { AgentApi } from '../agent-api.js';
import { askAccess, awaitDecision } from '../requests/access-request.js';
import type { ConnectionEvent } from '../tunnels/tunnel-keeper.js';

export interface ObtainOptions {
  readonly api: Pick<AgentApi, 'get' | 'post'>;
  readonly connections: readonly string[];
  /** `2h`; undefined: as long as the flow gives. */
  readonly duration?: string | undefined;
  readonly reason?: string | undefined;
  /** Longest wait, in ms. */
  readonly waitMs?: number | undefined;
  /** False: ask, and leave the decision for later. */
  readonly wait: boolean;
  readonly onEvent: (event: ConnectionEvent) => void;
}

/** `ready`: every connection may be used now; `asked`: the requests given wait for people. */
export type Obtained =
  { readonly kind: 'ready' | 'interrupted' } | { readonly kind: 'asked'; readonly requests: readonly RequestView[] };

/**
 * Asks for access to those connections that need it and have none, all at once, and waits for the decisions.
 * What is no connection of the caller's is left to be refused where it is used.
 *
 * @throws HoopError approval_denied, approval_timeout, usage, and those of the agent's interface
 */
export async function obtainAccess(options: ObtainOptions): Promise<Obtained> {
  const { api, connections, duration, reason } = options;
  const listed = await api.get<readonly ConnectionSummary[]>('/v1/connections');
  const closed = listed.filter(({ name, access }) => connections.includes(name) && access === 'needs approval');
  const asked = await Promise.all(closed.map(({ name }) => askAccess(api, { connection: name, duration, reason })));
  const requests = asked.filter((request) => request?.state === 'pending') as readonly RequestView[];
  if (requests.length === 0) return { kind: 'ready' };
  if (!options.wait) return { kind: 'asked', requests };
  const { signal: interrupted, release } = interruption();
  try {
    const wait = { waitMs: options.waitMs, onEvent: options.onEvent, interrupted };
    const decided = await Promise.all(requests.map((request) => awaitDecision(api, request, wait)));
    return { kind: decided.includes(undefined) ? 'interrupted' : 'ready' };
  } finally {
    release();
  }
}

/** Aborted by the first signal that asks to end; a second one ends at once. */
export function interruption(): { readonly signal: AbortSignal; readonly release: () => void } {
  const controller = new AbortController();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const abort = (): void => {
    release();
    controller.abort();
  };
  const release = (): void => {
    for (const name of signals) process.off(name, abort);
  };
  for (const name of signals) process.on(name, abort);
  return { signal: controller.signal, release };
}
