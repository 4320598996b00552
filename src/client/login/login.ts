import { randomUUID } from 'node:crypto';
import { HoopError } from '../../core/errors.js';
import { checkTokenText, machineClient } from '../../identity/access-token.js';
import { clientCredentialsLogin } from '../../identity/client-credentials.js';
import { deviceLogin } from '../../identity/device-login.js';
import type { DevicePrompt } from '../../identity/device-login.js';
import { createFetch } from '../../identity/http-fetch.js';
import type { Fetch } from '../../identity/http-fetch.js';
import type { LoginPlace } from '../../identity/login-place.js';
import { ensurePrivateFolder } from '../../identity/private-file.js';
import { revokeTokens } from '../../identity/revoke.js';
import type { TokenSet } from '../../identity/token-set.js';
import { TokenStore } from '../../identity/token-store.js';
import { webLogin } from '../../identity/web-login.js';
import type { WebPrompt } from '../../identity/web-login.js';
import { fetchWellKnown } from '../../identity/well-known.js';
import type { WellKnown } from '../../identity/well-known.js';
import { AgentApi } from '../agent-api.js';
import type { Whoami } from '../agent-api.js';
import { LoginElsewhere } from './login-elsewhere.js';
import { configFolder, saveProfile } from './profile.js';
import type { Profile } from './profile.js';

type Environment = LoginPlace['env'];

interface Surroundings {
  readonly env: Environment;
  readonly say: (text: string) => void;
}

/** How to come to a token. */
export type LoginKind =
  | {
      readonly kind: 'device';
      readonly show: (prompt: DevicePrompt, agent: Pick<WellKnown, 'issuer' | 'clientId'>) => void;
    }
  | {
      readonly kind: 'web';
      readonly show: (prompt: WebPrompt, agent: Pick<WellKnown, 'issuer' | 'clientId'>) => void;
    }
  | { readonly kind: 'client-credentials' }
  | { readonly kind: 'token'; readonly token: string };

/**
 * Logs in, lets the agent confirm the token, and only then keeps it and the profile.
 *
 * @returns who the agent takes the caller for, and the variable that goes before this login, if one is set
 * @throws HoopError of the login, or what the agent says against the token
 */
export async function logIn(
  profile: Profile,
  kind: LoginKind,
  { env, say }: Surroundings,
): Promise<{ readonly who: Whoami; readonly overriddenBy: string | undefined }> {
  const fetch = createFetch({ caFile: env['HOOP_CA_FILE'] });
  const place = profile.login();
  // Before anyone confirms a code for a login that could not be kept.
  ensurePrivateFolder(place.folder);
  const agent = await fetchWellKnown(profile.agentUrl, { caFile: env['HOOP_CA_FILE'] });
  const store = new TokenStore({ folder: place.folder, env, say });
  const elsewhere = new LoginElsewhere(store, place);
  const tokens = await elsewhere.orElse((signal) => obtain(kind, agent, { env, fetch, signal }));
  const token = async (): Promise<string> => tokens.accessToken;
  const who = await new AgentApi({ url: profile.agentUrl, token, caFile: env['HOOP_CA_FILE'] }).whoami();
  if (elsewhere.happened) say('Another `hoop login` of this profile was confirmed meanwhile; this one uses it.');
  else
    await store.write(place, {
      ...tokens,
      expiresAt: Math.min(tokens.expiresAt, who.expiresAt),
      loginId: randomUUID(),
    });
  saveProfile(profile, env);
  return { who, overriddenBy: overriding(env, kind) };
}

/** What goes before a login that is kept. */
function overriding(env: Environment, { kind }: LoginKind): string | undefined {
  const token = ['HOOP_TOKEN', 'HOOP_TOKEN_FILE'].find((name) => (env[name] ?? '') !== '');
  if (token !== undefined) return token;
  return kind !== 'client-credentials' && machineClient(env) !== undefined ? 'HOOP_CLIENT_ID' : undefined;
}

/**
 * Ends the profile's login, or all: at the provider where it offers that, and on this machine in any case.
 *
 * @param profile undefined: every login there is
 */
export async function logOut(
  profile: Profile | undefined,
  { env, say }: Surroundings,
): Promise<readonly { readonly profile: string; readonly agent: string; readonly revoked: boolean }[]> {
  const fetch = createFetch({ caFile: env['HOOP_CA_FILE'] });
  const store = new TokenStore({ folder: configFolder(env), env, say });
  const wanted = store
    .list()
    .filter(
      (login) => profile === undefined || (login.profile === profile.name && login.agentUrl === profile.agentUrl),
    );
  const ended = [];
  for (const login of wanted) {
    const revoked = await revoke(store, login, fetch).catch((error: unknown) => {
      const why = error instanceof HoopError ? error.message : 'unknown';
      say(`The login at ${login.agentUrl} is not revoked at the provider (${why}); it is erased here.`);
      return false;
    });
    await store.erase(login);
    ended.push({ profile: login.profile, agent: login.agentUrl, revoked });
  }
  return ended;
}

async function revoke(
  store: TokenStore,
  login: Pick<LoginPlace, 'profile' | 'agentUrl'>,
  fetch: Fetch,
): Promise<boolean> {
  const tokens = await store.read(login);
  return tokens !== undefined && (await revokeTokens(tokens, fetch));
}

async function obtain(
  kind: LoginKind,
  agent: WellKnown,
  { env, fetch, signal }: { readonly env: Environment; readonly fetch: Fetch; readonly signal: AbortSignal },
): Promise<TokenSet> {
  if (kind.kind === 'device') return deviceLogin({ agent, fetch, signal, show: (prompt) => kind.show(prompt, agent) });
  if (kind.kind === 'web') return webLogin({ agent, fetch, signal, show: (prompt) => kind.show(prompt, agent) });
  if (kind.kind === 'client-credentials') {
    const client = machineClient(env);
    if (client !== undefined) return clientCredentialsLogin({ ...client, agent, fetch });
    throw new HoopError('usage', 'no client to log in as', {
      why: 'HOOP_CLIENT_ID or HOOP_CLIENT_SECRET is not set',
      suggestion: 'set both, or log in as a person with `hoop login`',
    });
  }
  const { issuer, clientId, audience } = agent;
  // The agent says below when it ends.
  return {
    accessToken: checkTokenText(kind.token, 'stdin'),
    obtainedAt: Math.floor(Date.now() / 1000),
    expiresAt: Number.MAX_SAFE_INTEGER,
    issuer,
    clientId,
    audience,
  };
}
