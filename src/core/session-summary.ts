/** One session as lists show it. */
export interface SessionSummary {
  readonly id: string;
  readonly connection: string;
  readonly connectionType: string;
  readonly subject: string;
  readonly issuer: string;
  readonly email: string;
  readonly credential: string;
  readonly correlationId: string;
  /** RFC 3339 UTC. */
  readonly startedAt: string;
  /** Empty while live. */
  readonly endedAt: string;
  /** `client`, `upstream`, `agent`, `revoked`, `fault`, `crash`; empty while live. After a crash `endedAt` is when it was sealed. */
  readonly endReason?: string;
  readonly statements: number;
  readonly blocked: number;
  readonly approvals: number;
  /** Path below the recordings folder: `YYYY-MM-DD/SESSION.ndjson`. */
  readonly file: string;
  /** Hex hash of the last event once sealed; empty before. */
  readonly head: string;
  /** Events in the file once sealed. */
  readonly events: number;
  /** What it began with, masked, one line of at most 120 characters: a statement, `GET /path`, or endpoint and model; empty before. */
  readonly title?: string;
}
