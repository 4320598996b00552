import { Readable } from 'node:stream';
import { HoopError } from '../core/errors.js';
import type { TokenVerifier } from '../identity/token-verifier.js';
import { followRecording } from '../recording/reading/follow.js';
import { hasRecording, readRecording, recordingPath } from '../recording/reading/read.js';
import { archiveTrouble } from './keeping/archive-figures.js';
import { auditDesk } from './audit/audit-desk.js';
import { card } from './card.js';
import type { HttpDependencies } from './http/dependencies.js';
import type { Metrics } from './http/metrics.js';
import type { Parts } from './parts.js';
import { openSlackDesk } from './news/open-slack-desk.js';
import { RequestFeed } from './holds/request-feed.js';
import type { SessionHost } from './sessions/session-host.js';

/** What the routes see of the agent. */
export function routeDependencies(
  parts: Parts,
  metrics: Metrics,
  host: Pick<SessionHost, 'previews' | 'withoutSecrets'>,
  now: { verifier(): TokenVerifier; listening(): boolean },
): HttpDependencies {
  const { live, store, recordings, approvals, log, clock } = parts;
  const slack = openSlackDesk(parts, host.withoutSecrets);
  return {
    verify: async (token) => slack.seen(await now.verifier().verify(token)),
    card: () => card(live, parts.key),
    connections: () => live.current.connections,
    flow: (name) => live.current.approvalFlows.find((flow) => flow.name === name),
    roles: () => live.agent.roles,
    approvals,
    withoutSecrets: host.withoutSecrets,
    preview: (request, reviewer) => host.previews.of(request, reviewer),
    slack: (call) => slack.desk.take(call),
    secrets: parts.secrets.desk,
    requestFeed: new RequestFeed(parts),
    sessions: sessionLists(parts),
    audit: auditDesk(parts),
    openRecording: (session, follower) => {
      const path = recordingPath(live.agent.recordings.dir, session.file);
      // Gone, e.g. by age: said before an answer begins, since a broken answer says nothing.
      if (!hasRecording(path)) return Promise.resolve(undefined);
      const isLive = (): boolean => recordings.live(session.id) !== undefined;
      if (follower === undefined || !isLive()) return Promise.resolve(Readable.from(readRecording(path)));
      const check = (): void => {
        if (clock.nowMs() >= follower.expiresAt * 1000) throw new HoopError('token_refused', 'the token has ended');
        follower.check();
      };
      return Promise.resolve(Readable.from(followRecording(path, { live: isLive, check })));
    },
    readiness: () => [
      { name: 'configuration', ready: true },
      { name: 'store', ready: store.isOpen },
      { name: 'recordings', ready: recordings.writable() },
      { name: 'listening', ready: now.listening() },
    ],
    attention: () => archiveTrouble(parts.archive),
    metrics,
    onFailure: (route, error) => {
      log.failure(`request failed: ${route}`, error);
    },
  };
}

/** Sessions as the store lists them, live ones with what was counted up to now. */
function sessionLists({ store, recordings }: Parts): HttpDependencies['sessions'] {
  return {
    list: (filter) => {
      const page = store.sessions.list(filter);
      // `head` and `events` say whether a session is sealed, and stay as they are listed.
      const items = page.items.map((each) => ({ ...recordings.withLive(each), head: each.head, events: each.events }));
      return { ...page, items };
    },
    get: (id) => {
      const known = store.sessions.get(id);
      return known === undefined ? undefined : recordings.withLive(known);
    },
  };
}
