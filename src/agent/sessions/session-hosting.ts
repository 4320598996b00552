import { createHmac, randomBytes } from 'node:crypto';
import { AccessGuard } from '../callers/access-guard.js';
import type { Metrics } from '../http/metrics.js';
import { keptKey } from '../resources/kept-keys.js';
import type { Parts } from '../parts.js';
import { tellMissed } from '../news/missed-news.js';
import { Previews } from '../holds/previews.js';
import { SecretScrubber } from './secret-scrubber.js';
import { SinkNews } from '../news/sink-news.js';
import type { LiveSession, SessionHost } from './session-host.js';
import { recorderMetrics, SessionFigures, sinkMetrics, traceMetrics } from './session-figures.js';
import { SessionSlots } from './session-slots.js';

const HASH_KEY_BYTES = 32;

/** What the sessions see of the agent. */
export function sessionHost(parts: Parts, drives: Set<LiveSession>, metrics: Metrics): SessionHost {
  const { live, recordings, approvals, clock, secrets, newId, log } = parts;
  const hashKey = keptKey(parts.store, 'mask-hash', () => randomBytes(HASH_KEY_BYTES));
  const hash = (input: Uint8Array): Uint8Array => createHmac('sha256', hashKey).update(input).digest();
  const scrubber = new SecretScrubber(hash);
  const access = new AccessGuard(approvals, () => live.current.connections);
  parts.notices.listen(({ type, grant }) => {
    if (type === 'grant.ended' && grant !== undefined) access.ended(grant);
  });
  const figures = new SessionFigures(metrics.registry);
  recorderMetrics(metrics.registry, { lag: () => recordings.lag() });
  sinkMetrics(metrics.registry, () => parts.sinks.figures());
  if (parts.tracing !== undefined) traceMetrics(metrics.registry, parts.tracing.figures);
  const news = sinkNews(parts, (text) => scrubber.text(text));
  return {
    clock,
    monotonicMs: () => performance.now(),
    newId,
    policy: () => live.current.policySet,
    entities: () => live.current.entities,
    limits: () => live.agent.limits,
    hash,
    withoutSecrets: (text) => scrubber.text(text),
    approvals,
    previews: new Previews(),
    access,
    resolveSecret: secrets.resolve,
    secretUses: secrets.uses,
    placeRecording: (session) => recordings.place(session),
    openRecording: (given, firstWrite) => {
      const start = scrubber.start(given);
      return scrubber.around(figures.around(start, news.around(start, recordings.open(start, firstWrite))));
    },
    drives,
    slots: new SessionSlots(),
    log: (message, fields) => {
      log.warn(message, fields);
    },
    trace: (traced) => parts.tracing?.session(traced),
    decided: (action) => {
      metrics.decided(action);
    },
  };
}

function sinkNews(parts: Parts, withoutSecrets: (text: string) => string): SinkNews {
  const { sinks, notices, clock, log } = parts;
  const news = new SinkNews({
    sinks,
    nowMs: () => clock.nowMs(),
    withoutSecrets,
    warn: (message) => {
      log.warn(message);
    },
  });
  notices.listen((notice) => {
    news.notice(notice);
  });
  sinks.beforeClose(() => {
    news.settle();
  });
  void tellMissed(parts, news).then((told) => {
    if (told > 0) log.info(`sinks are told again of ${String(told)} events from before a crash`);
  });
  return news;
}
