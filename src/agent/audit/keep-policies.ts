import type { Parts } from '../parts.js';

/** Keeps the policies that come into force, so that the hash in a decision can be read for as long as the decision can. */
export function keepPolicies({ live, store, clock, log }: Pick<Parts, 'live' | 'store' | 'clock' | 'log'>): void {
  const { hash, source } = live.current.policySet;
  try {
    store.audit.policiesInForce(hash, source, clock.timestamp());
  } catch (error) {
    log.failure('the policies in force could not be kept', error);
  }
}
