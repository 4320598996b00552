/** That someone read a recording. */
export interface Reading {
  /** RFC 3339 UTC. */
  readonly at: string;
  /** Empty for the event of an export as a whole. */
  readonly session: string;
  /** `recording`: its bytes, as `hoop replay` and `hoop verify` fetch them. `export`: as part of an evidence bundle. */
  readonly what: 'recording' | 'export';
  readonly subject: string;
  readonly issuer: string;
  readonly email: string;
  /** Of an export, its span of time. */
  readonly detail: string;
}
