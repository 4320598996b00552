import { HoopError } from '../core/errors.js';

/** A token that stands in the environment: no command renews it, and `hoop login` would change nothing. */
export interface GivenToken {
  /** As a message names it. */
  readonly name: string;
  readonly renewal: string;
}

/** Which of the environment's tokens the commands use; undefined where they use a login's own. As `accessToken` chooses. */
export function givenToken(env: Readonly<Record<string, string | undefined>>): GivenToken | undefined {
  const has = (name: string): boolean => (env[name] ?? '') !== '';
  if (has('HOOP_TOKEN'))
    return { name: 'HOOP_TOKEN', renewal: 'get a new token into HOOP_TOKEN, or unset it and run `hoop login`' };
  if (has('HOOP_TOKEN_FILE'))
    return { name: 'the file of HOOP_TOKEN_FILE', renewal: 'have whatever writes that file put a new token there' };
  if (has('HOOP_CLIENT_ID') && has('HOOP_CLIENT_SECRET'))
    return {
      name: 'the client of HOOP_CLIENT_ID',
      renewal: 'check what the identity provider gives that client: issuer, audience and lifetime of its tokens',
    };
  return undefined;
}

/** A refusal of a token that was given, with what helps against that; every other error as it is. */
export function advised(error: unknown, given: GivenToken | undefined): unknown {
  if (given === undefined || !(error instanceof HoopError) || error.code !== 'token_refused') return error;
  return new HoopError('token_refused', error.message.replace(/^the token\b/, `the token of ${given.name}`), {
    why: error.why ?? `the token is that of ${given.name}`,
    suggestion: given.renewal,
    cause: error,
  });
}
