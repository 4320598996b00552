import { choice } from './request-routes.js';
import type { HttpDependencies } from './dependencies.js';
import type { Route } from './route.js';

/** Requests pushed as they come and change: what an open `hoop approve` reads. */
export function requestEventsRoute(deps: Pick<HttpDependencies, 'requestFeed'>): Route {
  return {
    method: 'GET',
    path: '/v1/requests/events',
    auth: 'user',
    summary:
      'requests of the caller, and those they may review, as lines of JSON: a snapshot, then each as it comes and changes',
    query: ['state', 'mine'],
    handler: (call, caller) => {
      const contentType = 'application/x-ndjson';
      const filter = {
        state: choice(call, 'state', ['pending', 'all']),
        mine: choice(call, 'mine', ['false', 'true']) === 'true',
      };
      // Node leaves the body of an answer to HEAD out: a feed would stay open with nobody to read it.
      if (call.request.method === 'HEAD') return { text: '', contentType };
      return { stream: deps.requestFeed.open(caller, filter), contentType };
    },
  };
}
