import { HoopError } from '../../core/errors.js';

/** `warning`: it works, but something will trouble later. `skipped`: a hop before it failed, or it is not needed. */
export type CheckState = 'ok' | 'warning' | 'failed' | 'skipped';

/** The hops from this machine to a connection, in the order in which each needs those before. */
export type CheckId = 'configuration' | 'dns' | 'tcp' | 'tls' | 'agent' | 'token' | 'clock' | 'keychain' | 'port';

/** What one hop showed. */
export interface Check {
  readonly id: CheckId;
  readonly state: CheckState;
  /** What was found, one line; holds host names and addresses, no secrets. */
  readonly found: string;
  /** What to do; there where the state is `warning` or `failed`. */
  readonly suggestion?: string;
  /** The exit status that this failure means elsewhere. */
  readonly exitStatus?: number;
}

export function ok(id: CheckId, found: string): Check {
  return { id, state: 'ok', found };
}

export function skipped(id: CheckId, found: string): Check {
  return { id, state: 'skipped', found };
}

export function warning(id: CheckId, found: string, suggestion: string): Check {
  return { id, state: 'warning', found, suggestion };
}

/** A hop that failed, told as the error that a command would have ended with. */
export function failed(id: CheckId, error: HoopError): Check {
  const found = error.why === undefined ? error.message : `${error.message}: ${error.why}`;
  return { id, state: 'failed', found, suggestion: error.suggestion, exitStatus: error.exitStatus };
}

/** Any failure as an error of the table; the unforeseen counts as `code`. */
export function asHoopError(thrown: unknown, code: 'failed' | 'unreachable', message: string): HoopError {
  if (thrown instanceof HoopError) return thrown;
  return new HoopError(code, message, { why: thrown instanceof Error ? thrown.message : String(thrown) });
}
