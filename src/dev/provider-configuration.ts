import { randomBytes } from 'node:crypto';
import type { Context } from 'oidc-provider';
import type * as OidcProvider from 'oidc-provider';
import type { TrialUser } from './trial-user.js';
import { providerMemory } from './provider-memory.js';
import { codePage, confirmPage, donePage, errorPage } from './provider-pages.js';

const AUDIENCE = 'hoop';
/** The package writes an audience only into tokens for a resource, and a resource is a URI. */
const RESOURCE = 'urn:hoop:agent';
const CLIENT_ID = 'hoop-cli';
const SCOPES = ['openid', 'email', 'groups', 'offline_access'] as const;

/** Loads the package without its remark on Node 20, which it works with: the user's screen is for the user. */
export async function importQuietly(): Promise<typeof OidcProvider> {
  const { warn } = console;
  console.warn = (...parts: unknown[]) => {
    if (!String(parts[0]).includes('oidc-provider WARNING')) warn(...parts);
  };
  try {
    return await import('oidc-provider');
  } finally {
    console.warn = warn;
  }
}

/**
 * The provider's settings. Every page and policy that it would otherwise warn about is given.
 *
 * @param options.key private signing key (ES256) as JWK
 */
export function providerConfiguration(options: {
  readonly users: readonly TrialUser[];
  readonly key: Readonly<Record<string, unknown>>;
  readonly machine: { readonly clientId: string; readonly clientSecret: string };
  readonly accessTokenTtlS: number;
}): {
  readonly settings: Record<string, unknown>;
  readonly audience: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
} {
  const { users, accessTokenTtlS } = options;
  const settings = {
    adapter: providerMemory(),
    clients: clients(options.machine),
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    jwks: { keys: [options.key] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    scopes: SCOPES,
    claims: { openid: ['sub'], email: ['email', 'email_verified'], groups: ['groups'] },
    findAccount: (_ctx: unknown, id: string) => account(users, id),
    extraTokenClaims: (_ctx: unknown, token: { readonly kind: string; readonly accountId?: string }) =>
      tokenClaims(users, token),
    interactions: { url: (_ctx: unknown, interaction: { readonly uid: string }) => `/interaction/${interaction.uid}` },
    // A login of the CLI lives on when the browser's session ends.
    expiresWithSession: () => false,
    issueRefreshToken: (_ctx: unknown, client: { grantTypeAllowed(type: string): boolean }) =>
      client.grantTypeAllowed('refresh_token'),
    renderError: (ctx: Context, out: { readonly error: string; readonly error_description?: string }) => {
      ctx.type = 'html';
      ctx.body = errorPage(out.error_description ?? out.error);
    },
    ttl: {
      AccessToken: accessTokenTtlS,
      ClientCredentials: accessTokenTtlS,
      DeviceCode: 600,
      Grant: 86_400,
      IdToken: 600,
      Interaction: 600,
      RefreshToken: 86_400,
      Session: 3_600,
    },
    features: features(accessTokenTtlS),
  };
  return { settings, audience: AUDIENCE, clientId: CLIENT_ID, scopes: SCOPES };
}

function clients(machine: {
  readonly clientId: string;
  readonly clientSecret: string;
}): readonly Record<string, unknown>[] {
  return [
    {
      client_id: CLIENT_ID,
      client_name: 'hoop',
      application_type: 'native',
      // Of a native client any port on loopback will do.
      redirect_uris: ['http://127.0.0.1/callback'],
      response_types: ['code'],
      grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    },
    {
      redirect_uris: [],
      response_types: [],
      client_id: machine.clientId,
      client_secret: machine.clientSecret,
      grant_types: ['client_credentials'],
      token_endpoint_auth_method: 'client_secret_basic',
    },
  ];
}

function features(accessTokenTTL: number): Record<string, unknown> {
  return {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    revocation: {
      enabled: true,
      allowedPolicy: (_ctx: unknown, client: { readonly clientId: string }, token: { readonly clientId: string }) =>
        token.clientId === client.clientId,
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => RESOURCE,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        audience: AUDIENCE,
        scope: '',
        accessTokenTTL,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
    deviceFlow: {
      enabled: true,
      userCodeInputSource: (ctx: Context, form: string, _out: unknown, error: unknown) => {
        ctx.type = 'html';
        ctx.body = codePage(form, error !== undefined && error !== null);
      },
      userCodeConfirmSource: (
        ctx: Context,
        form: string,
        client: { readonly clientName?: string },
        _device: unknown,
        code: string,
      ) => {
        ctx.type = 'html';
        ctx.body = confirmPage(form, code, client.clientName ?? CLIENT_ID);
      },
      successSource: (ctx: Context) => {
        ctx.type = 'html';
        ctx.body = donePage();
      },
    },
  };
}

async function account(users: readonly TrialUser[], id: string): Promise<Record<string, unknown> | undefined> {
  const user = users.find((candidate) => candidate.id === id);
  if (user === undefined) return undefined;
  const { email, groups } = user;
  return { accountId: id, claims: async () => ({ sub: id, email, email_verified: true, groups }) };
}

async function tokenClaims(
  users: readonly TrialUser[],
  token: { readonly kind: string; readonly accountId?: string },
): Promise<Record<string, unknown>> {
  if (token.kind === 'ClientCredentials') return { groups: ['ci'] };
  const user = users.find(({ id }) => id === token.accountId);
  return user === undefined ? {} : { email: user.email, email_verified: true, groups: user.groups };
}
