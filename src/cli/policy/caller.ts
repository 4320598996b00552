import type { DecisionContext } from '../../policy/bound-facts.js';
import type { TestUser } from '../../policy/schema-tests.js';
import type { Context } from '../../policy/types.js';

/** Who asks, through what, when: as far as it is known. */
export interface GivenCaller {
  readonly user: TestUser | undefined;
  readonly connection: Context['connection'];
  /** RFC 3339; undefined is now. */
  readonly at?: string | undefined;
  readonly from?: string | undefined;
}

const NO_SESSION = '00000000-0000-7000-8000-000000000000';

/** The context of a decision that nobody makes in earnest. What is not said is a person in no group. */
export function decisionContext({ user = {}, connection, at, from }: GivenCaller): DecisionContext {
  const nowMs = at === undefined ? Date.now() : Date.parse(at);
  return {
    user: {
      subject: user.subject ?? user.email ?? 'someone',
      email: user.email ?? '',
      groups: user.groups ?? [],
      attributes: user.attributes ?? {},
      issuer: user.issuer ?? '',
      machine: user.machine ?? false,
      mayReview: false,
      expiresAt: Math.floor(nowMs / 1000) + 3600,
    },
    connection,
    session: {
      id: NO_SESSION,
      correlationId: '',
      startedAt: new Date(nowMs).toISOString(),
      ...(from === undefined ? {} : { clientAddress: from }),
    },
    nowMs,
  };
}
