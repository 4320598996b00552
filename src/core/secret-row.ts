/** What is known of a stored secret besides its value. */
export interface SecretRow {
  readonly name: string;
  /** Counts the values that it had, from 1. */
  readonly version: number;
  /** RFC 3339 UTC. */
  readonly changedAt: string;
  /** Subject of whoever changed it, or `rotation`. */
  readonly changedBy: string;
  /** Its value is gone, and nothing that needs it starts. */
  readonly revoked: boolean;
  /** RFC 3339 UTC; empty where it was never used. */
  readonly usedAt: string;
  readonly uses: number;
}
