import { Housekeeping } from '../recording/housekeeping.js';
import { keepPolicies } from './audit/keep-policies.js';
import type { Parts } from './parts.js';

/** Keeps the policies in force; compresses and removes recordings as the configuration says until it is closed. */
export function startHousekeeping(parts: Parts): Housekeeping {
  const { live, store, key, clock, log } = parts;
  keepPolicies(parts);
  const { dir, compress, retentionMs, maxBytes } = live.agent.recordings;
  const housekeeping = new Housekeeping({
    dir,
    key,
    clock,
    compress: compress !== undefined,
    retentionMs,
    maxBytes,
    onRemoved: (date, through) => store.sessions.forget(date, through),
    onDone: ({ compressed, removed }) => {
      log.info('recordings looked after', { compressed: String(compressed), removed: String(removed) });
    },
    onFault: (error) => {
      log.failure('recordings could not be looked after', error);
    },
  });
  housekeeping.start();
  return housekeeping;
}
