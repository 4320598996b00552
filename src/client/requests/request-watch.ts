import type { RequestView } from '../../core/approval.js';
import { HoopError } from '../../core/errors.js';
import type { RequestNews } from './request-follow.js';

export interface RequestWatchOptions {
  readonly news: AsyncIterable<RequestNews>;
  readonly getOne: (path: string) => Promise<RequestView>;
  /** The agent is not heard of; it is tried again. */
  readonly onLost: (why: string) => void;
}

/**
 * Requests as they come and change, oldest first: each one seen, then again at every change and when it is over; what
 * was over before a broken line came back, too.
 */
export async function* watchRequests({ news, getOne, onLost }: RequestWatchOptions): AsyncGenerator<RequestView> {
  /** Those that wait, as they were told last. */
  const waiting = new Map<string, string>();
  const tell = (request: RequestView): boolean => {
    const text = JSON.stringify(request);
    if (waiting.get(request.id) === text) return false;
    if (request.state === 'pending') waiting.set(request.id, text);
    else waiting.delete(request.id);
    return true;
  };
  let lost = false;
  for await (const one of news) {
    if (one.kind === 'lost') {
      if (!lost) onLost(one.why);
      lost = true;
    } else if (one.kind === 'request') {
      if (tell(one.request)) yield one.request;
    } else {
      const ids = new Set(one.requests.map(({ id }) => id));
      for (const id of [...waiting.keys()].filter((known) => !ids.has(known))) {
        const ended = await getOne(`/v1/requests/${id}`).catch(goneIsUndefined);
        waiting.delete(id);
        if (ended !== undefined) yield ended;
      }
      // After a broken line the list tells of ended ones again: those told already are told no more.
      const fresh = lost
        ? one.requests.filter(({ state, id }) => state === 'pending' || waiting.has(id))
        : one.requests;
      for (const request of [...fresh].reverse()) if (tell(request)) yield request;
      lost = false;
    }
  }
}

/** Where the list of requests is read. */
export function requestsPath({ state, mine }: { readonly state: 'pending' | 'all'; readonly mine: boolean }): string {
  return `/v1/requests?state=${state}&mine=${String(mine)}`;
}

/** The caller may have lost the right to see it meanwhile. */
function goneIsUndefined(error: unknown): undefined {
  if (error instanceof HoopError && error.code === 'not_found') return undefined;
  throw error;
}
