import type { Identity } from '../../core/identity.js';

/** Clocks differ by as much as tokens are checked with. */
const LEEWAY_MS = 60_000;

/** Milliseconds in which something new may still begin with this caller's token; below 0 it has ended. */
export function tokenLeftMs({ expiresAt }: Pick<Identity, 'expiresAt'>, nowMs = Date.now()): number {
  return expiresAt * 1_000 + LEEWAY_MS - nowMs;
}
