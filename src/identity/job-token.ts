import { HoopError, messageOf } from '../core/errors.js';
import type { Fetch } from './http-fetch.js';
import { isLoopback } from './loopback.js';
import { readBody } from './read-body.js';
import type { WellKnown } from './well-known.js';

type Environment = Readonly<Record<string, string | undefined>>;

const MAX_BYTES = 64 * 1024;

/** Where a job of GitHub Actions asks for its own token. */
interface JobTokenSource {
  readonly url: string;
  readonly bearer: string;
}

/** Is this a job of GitHub Actions with `permissions: id-token: write`? */
export function jobTokenSource(env: Environment): JobTokenSource | undefined {
  const url = env['ACTIONS_ID_TOKEN_REQUEST_URL'] ?? '';
  const bearer = env['ACTIONS_ID_TOKEN_REQUEST_TOKEN'] ?? '';
  return url === '' || bearer === '' ? undefined : { url, bearer };
}

/**
 * The job's own OpenID token, made for the agent: nothing is stored for it anywhere.
 *
 * @param env `HOOP_TOKEN_AUDIENCE` goes before the audience that the agent names
 * @throws HoopError `not_logged_in` where the job's host refuses it, `unreachable`, `protocol`
 * @see https://docs.github.com/en/actions/reference/security/oidc#methods-for-requesting-the-oidc-token
 */
export async function requestJobToken(
  source: JobTokenSource,
  agent: Pick<WellKnown, 'audience' | 'jobIssuers'>,
  env: Environment,
  fetch: Fetch,
): Promise<string> {
  const url = URL.canParse(source.url) ? new URL(source.url) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url))))
    throw new HoopError('protocol', 'ACTIONS_ID_TOKEN_REQUEST_URL is no https address');
  url.searchParams.set('audience', audienceFor(agent, env));
  let status: number;
  let text: string;
  try {
    const headers = { authorization: `bearer ${source.bearer}`, accept: 'application/json' };
    const response = await fetch(url.href, { headers });
    status = response.status;
    text = await readBody(response.body, MAX_BYTES);
  } catch (error) {
    throw new HoopError('unreachable', 'the host of this job gives no token', {
      why: messageOf(error),
      suggestion: 'run the job again; ACTIONS_ID_TOKEN_REQUEST_URL is where it was asked for',
      cause: error,
    });
  }
  if (status !== 200)
    throw new HoopError('not_logged_in', 'the host of this job refuses it a token', {
      why: `status ${status}`,
      suggestion: 'give the job `permissions: id-token: write`',
    });
  return valueOf(text);
}

function valueOf(text: string): string {
  try {
    const { value } = JSON.parse(text) as { readonly value?: unknown };
    if (typeof value === 'string' && value !== '') return value;
  } catch {
    // Told below; what came is not repeated, it may hold a token.
  }
  throw new HoopError('protocol', 'the answer of the job’s host holds no token');
}

/** Each trusted issuer may have an audience of its own: that of GitHub's is known by its address. */
function audienceFor(agent: Pick<WellKnown, 'audience' | 'jobIssuers'>, env: Environment): string {
  const given = env['HOOP_TOKEN_AUDIENCE'] ?? '';
  if (given !== '') return given;
  const ofGitHub = agent.jobIssuers?.find(({ issuer }) => isGitHubIssuer(issuer));
  return ofGitHub?.audience ?? agent.audience;
}

/** `token.actions.githubusercontent.com`, also with an enterprise's path, or an own server's `/_services/token`. */
function isGitHubIssuer(issuer: string): boolean {
  const url = new URL(issuer);
  return url.hostname === 'token.actions.githubusercontent.com' || url.pathname.endsWith('/_services/token');
}
