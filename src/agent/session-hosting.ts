import { createHmac, randomBytes } from 'node:crypto';
import { AccessGuard } from './access-guard.js';
import type { Metrics } from './http/metrics.js';
import { keptKey } from './kept-keys.js';
import type { Parts } from './parts.js';
import { SecretScrubber } from './secret-scrubber.js';
import type { LiveSession, SessionHost } from './session-host.js';
import { SessionSlots } from './session-slots.js';

const HASH_KEY_BYTES = 32;

/** What the sessions see of the agent. */
export function sessionHost(parts: Parts, drives: Set<LiveSession>, metrics: Metrics): SessionHost {
  const { live, recordings, approvals, clock, secrets, newId, log } = parts;
  const hashKey = keptKey(parts.store, 'mask-hash', () => randomBytes(HASH_KEY_BYTES));
  const hash = (input: Uint8Array): Uint8Array => createHmac('sha256', hashKey).update(input).digest();
  const scrubber = new SecretScrubber(hash);
  const access = new AccessGuard(approvals, (name) => live.current.connections.find((one) => one.name === name));
  parts.notices.listen(({ type, grant }) => {
    if (type === 'grant.ended' && grant !== undefined) access.ended(grant);
  });
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
    access,
    resolveSecret: secrets.resolve,
    secretUses: secrets.uses,
    openRecording: (start, firstWrite) => scrubber.around(recordings.open(start, firstWrite)),
    drives,
    slots: new SessionSlots(),
    log: (message, fields) => {
      log.warn(message, fields);
    },
    decided: (action) => {
      metrics.decided(action);
    },
  };
}
