import type { SecretRow } from './secret-row.js';

/** A stored secret as administrators see it; never its value. */
export interface SecretView extends SecretRow {
  /** The name. */
  readonly id: string;
  /** Some connection names it, and it was never set. */
  readonly missing: boolean;
  /** Connections whose credentials need it. */
  readonly connections: readonly string[];
  /** RFC 3339 UTC: when its password is changed by itself; empty where never. */
  readonly rotatesAt: string;
}
