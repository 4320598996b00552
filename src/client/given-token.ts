import { ERRORS, HoopError } from '../core/errors.js';
import { jobTokenSource } from '../identity/job-token.js';

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

/** Whose token the agent may refuse though no login is to blame: that of the environment, else a job's own. */
export function tokenToAdvise(env: Readonly<Record<string, string | undefined>>): GivenToken | undefined {
  if (jobTokenSource(env) === undefined) return givenToken(env);
  return (
    givenToken(env) ?? {
      name: 'this job',
      renewal: 'name the audience that the agent has for this job’s issuer with HOOP_TOKEN_AUDIENCE',
    }
  );
}

/** A refusal of a token that was given, with what helps against that; every other error as it is. */
export function advised(error: unknown, given: GivenToken | undefined): unknown {
  if (given === undefined || !(error instanceof HoopError) || error.code !== 'token_refused') return error;
  const message = error.message.replace(/^the token\b/, `the token of ${given.name}`);
  const told = message.includes(given.name) ? ERRORS.token_refused.why : `the token is that of ${given.name}`;
  // What the agent advises against just this refusal is nearer to it.
  const special = error.suggestion !== ERRORS.token_refused.suggestion;
  return new HoopError('token_refused', message, {
    why: error.why ?? told,
    suggestion: special ? error.suggestion : given.renewal,
    cause: error,
  });
}
