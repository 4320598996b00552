import { Housekeeping } from '../../recording/folder/housekeeping.js';
import { keepPolicies } from '../audit/keep-policies.js';
import type { Parts } from '../parts.js';

/** Keeps the policies in force; compresses, copies and removes recordings as the configuration says until closed. */
export function startHousekeeping(parts: Parts): Housekeeping {
  const { live, store, key, clock, log, archive } = parts;
  keepPolicies(parts);
  const { dir, compress, retentionMs, maxBytes } = live.agent.recordings;
  const housekeeping = new Housekeeping({
    dir,
    key,
    clock,
    compress: compress !== undefined,
    retentionMs,
    maxBytes,
    ...(archive === undefined ? {} : { onlyCopy: (date, session) => archive.onlyCopy(date, session) }),
    onRemoved: (date, through) => {
      store.uploads.forget(date, through);
      return store.sessions.forget(date, through);
    },
    onDone: ({ compressed, removed }) => {
      log.info('recordings looked after', { compressed: String(compressed), removed: String(removed) });
    },
    onFault: (error) => {
      log.failure('recordings could not be looked after', error);
    },
  });
  housekeeping.start();
  archive?.start((changedMs, bytes) => housekeeping.willCompress(changedMs, bytes));
  return housekeeping;
}
