/** Who calls, as proven by a token. Everything that decides or records refers to this. */
export interface Identity {
  readonly subject: string;
  /** Empty where the provider tells none. */
  readonly email: string;
  readonly groups: readonly string[];
  /** Extra claims that the provider's configuration lists, e.g. `purpose`, `agent_role`. */
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly issuer: string;
  /** True for tokens of a CI job, a service or an AI agent: no person is at the other end. */
  readonly machine: boolean;
  /** May tokens of this provider decide approval requests? From the provider's `reviewers`. */
  readonly mayReview: boolean;
  /** Seconds since the epoch at which the token ends. */
  readonly expiresAt: number;
  /** The provider can say that a token was revoked: it is asked again while a session lives. */
  readonly revocable?: boolean;
}

/** Do any of the caller's groups meet the list? `*` meets everyone, also a caller without groups. */
export function meetsGroups(wanted: readonly string[], identity: Pick<Identity, 'groups'>): boolean {
  return wanted.some((group) => group === '*' || identity.groups.includes(group));
}
