/** How logins at one provider differ from the rest; the agent's configuration says it, the CLI carries it out. */

/** Which token the CLI sends. */
export const LOGIN_TOKENS = ['access', 'id'] as const;
export type LoginToken = (typeof LOGIN_TOKENS)[number];

/** By which parameter the agent's audience is asked for. */
export const AUDIENCE_PARAMETERS = ['resource', 'audience', 'none'] as const;
export type AudienceParameter = (typeof AUDIENCE_PARAMETERS)[number];
