import { usableConnections } from '../../connections/access.js';
import { accessLookup } from '../callers/access-guard.js';
import type { HttpDependencies } from './dependencies.js';
import type { Route } from './route.js';

/** Who the caller is and what they may use. */
export function callerRoutes(deps: HttpDependencies): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/whoami',
      auth: 'user',
      summary: 'the caller as their token says',
      query: [],
      handler: (_call, { subject, email, groups, issuer, machine, mayReview, expiresAt }) => ({
        json: { subject, email, groups, issuer, machine, mayReview, expiresAt },
      }),
    },
    {
      method: 'GET',
      path: '/v1/connections',
      auth: 'user',
      summary: 'connections that the caller may use',
      query: [],
      handler: (_call, caller) => ({
        json: usableConnections(deps.connections(), caller, accessLookup(deps.approvals, caller)),
      }),
    },
  ];
}
