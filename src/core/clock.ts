/** Time is passed in, so that tests never sleep and pure rooms stay pure. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** RFC 3339 UTC with microseconds, e.g. `2026-11-21T04:30:44.123456Z`; never goes backwards. */
  timestamp(): string;
}
