import { readFileSync } from 'node:fs';
import { HoopError } from '../core/errors.js';
import { createFetch } from './http-fetch.js';
import { jobTokenSource, requestJobToken } from './job-token.js';
import type { LoginPlace } from './login-place.js';
import { freshTokens } from './refresh.js';
import { isNearEnd } from './token-set.js';
import type { TokenSet } from './token-set.js';
import { TokenStore } from './token-store.js';
import { fetchWellKnown } from './well-known.js';

type MachineToken = Pick<TokenSet, 'accessToken' | 'obtainedAt' | 'expiresAt'>;

/** Tokens of this process's machine logins; nothing of them is written to disk. */
const machineTokens = new Map<string, Promise<MachineToken>>();

/** Of a job's token that does not say when it ends. */
const UNKNOWN_LIFE_S = 60;

/**
 * A token to send to the agent now: `HOOP_TOKEN`, the file of `HOOP_TOKEN_FILE`, the client of
 * `HOOP_CLIENT_ID` and `HOOP_CLIENT_SECRET`, the login's own, refreshed where its end is near, else the
 * token of a job of GitHub Actions. The first two are used as they stand.
 *
 * @throws HoopError `not_logged_in`, `token_refused`, `login_denied`, `unreachable`
 */
export async function accessToken(
  place: LoginPlace,
  options: { readonly say: (text: string) => void },
): Promise<string> {
  const given = givenToken(place.env);
  if (given !== undefined) return given;
  const caFile = place.env['HOOP_CA_FILE'];
  const fetch = createFetch({ caFile });
  const client = machineClient(place.env);
  if (client !== undefined)
    return machineToken(`${place.agentUrl} client ${client.clientId}`, async () => {
      // As the other libraries of logins: a command with a good token needs none of them.
      const { clientCredentialsLogin } = await import('./client-credentials.js');
      return clientCredentialsLogin({ ...client, agent: await fetchWellKnown(place.agentUrl, { caFile }), fetch });
    });
  const store = new TokenStore({ folder: place.folder, env: place.env, say: options.say });
  const job = jobTokenSource(place.env);
  // In a job that somebody logged in by hand, that login counts.
  if (job === undefined || (await store.read(place)) !== undefined)
    return (await freshTokens(place, store, fetch)).accessToken;
  return machineToken(`${place.agentUrl} job`, async () => {
    const agent = await fetchWellKnown(place.agentUrl, { caFile });
    return asKept(await requestJobToken(job, agent, place.env, fetch));
  });
}

/** One token for as long as it is good; those who ask at the same time share the asking. */
async function machineToken(key: string, obtain: () => Promise<MachineToken>): Promise<string> {
  const known = machineTokens.get(key);
  if (known !== undefined) {
    const tokens = await known.catch(() => undefined);
    if (tokens !== undefined && !isNearEnd(tokens, Date.now() / 1000)) return tokens.accessToken;
    if (machineTokens.get(key) === known) machineTokens.delete(key);
  }
  const asked = machineTokens.get(key) ?? obtain();
  machineTokens.set(key, asked);
  return (await asked).accessToken;
}

/** A job's token with the life that it says of itself; the agent checks it. */
async function asKept(accessToken: string): Promise<MachineToken> {
  const obtainedAt = Math.floor(Date.now() / 1000);
  return { accessToken, obtainedAt, expiresAt: (await endOf(accessToken)) ?? obtainedAt + UNKNOWN_LIFE_S };
}

async function endOf(token: string): Promise<number | undefined> {
  const { decodeJwt } = await import('jose');
  try {
    return decodeJwt(token).exp;
  } catch {
    throw new HoopError('protocol', 'the token of this job is no JWT');
  }
}

/** The machine's own id and secret, where the environment holds both. */
export function machineClient(
  env: LoginPlace['env'],
): { readonly clientId: string; readonly clientSecret: string } | undefined {
  const clientId = env['HOOP_CLIENT_ID'] ?? '';
  const clientSecret = env['HOOP_CLIENT_SECRET'] ?? '';
  return clientId === '' || clientSecret === '' ? undefined : { clientId, clientSecret };
}

/**
 * A token in header form: visible ASCII, no spaces.
 *
 * @throws HoopError `not_logged_in`; without what was given
 */
export function checkTokenText(text: string, source: string): string {
  const token = text.trim();
  if (/^[\x21-\x7e]{1,16384}$/.test(token)) return token;
  throw new HoopError('not_logged_in', `${source} holds no token`, {
    suggestion: 'put one access token there, and nothing else',
  });
}

function givenToken(env: LoginPlace['env']): string | undefined {
  const token = env['HOOP_TOKEN'] ?? '';
  if (token !== '') return checkTokenText(token, 'HOOP_TOKEN');
  const file = env['HOOP_TOKEN_FILE'] ?? '';
  if (file === '') return undefined;
  let text: string;
  try {
    // Read each time: what puts the job's token there also renews it.
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new HoopError('not_logged_in', 'the file of HOOP_TOKEN_FILE cannot be read', {
      suggestion: 'check the path, and that whatever writes the token there has done so',
      cause: error,
    });
  }
  return checkTokenText(text, 'the file of HOOP_TOKEN_FILE');
}
