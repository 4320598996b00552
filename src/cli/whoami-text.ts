import type { Whoami } from '../client/agent-api.js';

/** Who one is, in the order and with the names that `whoami` and `login` print. */
export interface WhoamiText {
  readonly subject: string;
  readonly email: string;
  readonly groups: readonly string[];
  readonly issuer: string;
  /** RFC 3339 UTC. */
  readonly expires: string;
  readonly agent: string;
}

export function describeWhoami(who: Whoami, agent: string): WhoamiText {
  const { subject, email, groups, issuer } = who;
  return { subject, email, groups, issuer, expires: new Date(who.expiresAt * 1000).toISOString(), agent };
}
