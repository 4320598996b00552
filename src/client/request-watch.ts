import type { RequestView } from '../core/approval.js';
import { HoopError } from '../core/errors.js';

export interface RequestWatchOptions {
  readonly get: (path: string) => Promise<readonly RequestView[]>;
  readonly getOne: (path: string) => Promise<RequestView>;
  readonly state: 'pending' | 'all';
  readonly mine: boolean;
  /** Waits between two looks; false ends the watch. */
  readonly pause: () => Promise<boolean>;
}

/**
 * Requests as they come and change, oldest first: each one seen, then again at every vote and when
 * it is over, also where only pending ones are asked for.
 */
export async function* watchRequests(options: RequestWatchOptions): AsyncGenerator<RequestView> {
  const path = requestsPath(options);
  const seen = new Map<string, RequestView>();
  do {
    const listed = [...(await options.get(path))].reverse();
    const ids = new Set(listed.map((request) => request.id));
    for (const request of [...seen.values()]) {
      if (request.state !== 'pending' || ids.has(request.id)) continue;
      const ended = await options.getOne(`/v1/requests/${request.id}`).catch(goneIsUndefined);
      seen.delete(request.id);
      if (ended !== undefined) yield ended;
    }
    for (const request of listed) {
      if (!changed(seen.get(request.id), request)) continue;
      seen.set(request.id, request);
      yield request;
    }
  } while (await options.pause());
}

/** Where the list of requests is read. */
export function requestsPath({ state, mine }: Pick<RequestWatchOptions, 'state' | 'mine'>): string {
  return `/v1/requests?state=${state}&mine=${mine}`;
}

function changed(before: RequestView | undefined, now: RequestView): boolean {
  return before === undefined || before.state !== now.state || before.votes.length !== now.votes.length;
}

/** The caller may have lost the right to see it meanwhile. */
function goneIsUndefined(error: unknown): undefined {
  if (error instanceof HoopError && error.code === 'not_found') return undefined;
  throw error;
}
