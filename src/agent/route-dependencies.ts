import { existsSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { TokenVerifier } from '../identity/token-verifier.js';
import { readRecording, recordingPath } from '../recording/read.js';
import { card } from './card.js';
import type { HttpDependencies } from './http/dependencies.js';
import type { Metrics } from './http/metrics.js';
import type { Parts } from './parts.js';

/** What the routes see of the agent. */
export function routeDependencies(
  parts: Parts,
  metrics: Metrics,
  now: { verifier(): TokenVerifier; listening(): boolean },
): HttpDependencies {
  const { live, store, recordings, approvals, log } = parts;
  return {
    verify: (token) => now.verifier().verify(token),
    card: () => card(live, parts.key),
    connections: () => live.current.connections,
    roles: () => live.agent.roles,
    approvals,
    secrets: parts.secrets.desk,
    sessions: {
      list: (filter) => store.sessions.list(filter),
      get: (id) => {
        const known = store.sessions.get(id);
        return known === undefined ? undefined : recordings.withLive(known);
      },
    },
    openRecording: (session) => {
      const path = recordingPath(live.agent.recordings.dir, session.file);
      // Gone, e.g. by age: said before an answer begins, since a broken answer says nothing.
      return Promise.resolve(existsSync(path) ? Readable.from(readRecording(path)) : undefined);
    },
    readiness: () => [
      { name: 'configuration', ready: true },
      { name: 'store', ready: store.isOpen },
      { name: 'recordings', ready: recordings.writable() },
      { name: 'listening', ready: now.listening() },
    ],
    metrics,
    onFailure: (route, error) => {
      log.failure(`request failed: ${route}`, error);
    },
  };
}
