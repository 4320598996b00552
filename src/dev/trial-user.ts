/** Somebody who may log in at the trial provider. */
export interface TrialUser {
  /** Becomes `sub`. */
  readonly id: string;
  readonly email: string;
  readonly groups: readonly string[];
  /** Left out: choosing the user is enough. */
  readonly password?: string;
}
