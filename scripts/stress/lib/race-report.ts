/** What races for one request. */
export const RACES = ['two-approve', 'approve-deny', 'approve-cancel', 'approve-expiry', 'deny', 'revoke'] as const;
type Race = (typeof RACES)[number];

/** One request, and what everyone who took part was told. */
export interface RaceReport {
  readonly path: string;
  readonly race: Race;
  id: string;
  /** What the requester got: an HTTP status and a code, or `left`. */
  answer: string;
  /** Decisions that were taken, of those that were tried. */
  readonly decided: string[];
  /** Of `revoke`: the answer to the same request after the grant had ended. */
  again: string;
  runsAtRevoke: number;
}

export interface RaceTotals {
  readonly requests: number;
  readonly byRace: Readonly<Record<string, number>>;
  /** Final states. */
  readonly states: Readonly<Record<string, number>>;
  readonly faults: readonly string[];
}
