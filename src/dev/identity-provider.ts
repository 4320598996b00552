import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { exportJWK, generateKeyPair } from 'jose';
import type { Provider } from 'oidc-provider';
import { messageOf } from '../core/errors.js';
import { importQuietly, providerConfiguration } from './provider-configuration.js';
import { userPage } from './provider-pages.js';
import type { TrialUser } from './trial-user.js';

export interface IdentityProvider {
  readonly issuer: string;
  /** What access tokens name as audience. */
  readonly audience: string;
  /** The public client of `hoop login`. */
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** The client of a machine, in the group `ci`; its secret is new at each start. */
  readonly machine: { readonly clientId: string; readonly clientSecret: string };
  close(): Promise<void>;
}

const MAX_FORM_BYTES = 16 * 1024;

/**
 * A real OpenID provider for trying hoop and for its tests: device flow, refresh, revocation, client
 * credentials; e-mail and groups are in its access tokens. It forgets everything when it ends.
 *
 * @param options.accessTokenTtlS life of access tokens in seconds, 600 where left out
 */
export async function startIdentityProvider(options: {
  readonly users: readonly TrialUser[];
  readonly port?: number;
  readonly host?: '127.0.0.1';
  readonly accessTokenTtlS?: number;
}): Promise<IdentityProvider> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve);
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const machine = { clientId: 'hoop-ci', clientSecret: randomBytes(24).toString('base64url') };
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const key = { ...(await exportJWK(privateKey)), kid: randomBytes(8).toString('hex'), alg: 'ES256', use: 'sig' };
  const configuration = providerConfiguration({
    users: options.users,
    key,
    machine,
    accessTokenTtlS: options.accessTokenTtlS ?? 600,
  });
  const { Provider: OidcProvider } = await importQuietly();
  const provider = new OidcProvider(issuer, configuration.settings);
  provider.use(async (ctx, next) => {
    await next();
    // Asked once a second instead of the five of RFC 8628: the one who waits sits beside it.
    if (ctx.oidc?.route === 'device_authorization' && typeof ctx.body === 'object')
      ctx.body = { ...ctx.body, interval: 1 };
  });
  const callback = provider.callback();
  server.on('request', (request, response) => {
    if (request.url?.startsWith('/interaction/') !== true) return callback(request, response);
    interact(provider, options.users, request, response).catch((error: unknown) => {
      response.writeHead(400, { 'content-type': 'text/plain; charset=utf-8' }).end(messageOf(error));
    });
  });
  return {
    issuer,
    audience: configuration.audience,
    clientId: configuration.clientId,
    scopes: configuration.scopes,
    machine,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The step between a confirmed code and its tokens: who is it? */
async function interact(
  provider: Provider,
  users: readonly TrialUser[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { uid, params } = await provider.interactionDetails(request, response);
  const show = (problem: boolean): void => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
    response.end(userPage(`/interaction/${uid}`, users, problem));
  };
  if (request.method !== 'POST') return show(false);
  const form = await readForm(request);
  const finish = (result: Readonly<Record<string, unknown>>): Promise<void> =>
    provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  if (form.get('abort') !== null) return finish({ error: 'access_denied', error_description: 'the person refused' });
  const user = users.find(({ id }) => id === form.get('user'));
  if (user === undefined || (user.password !== undefined && user.password !== form.get('password'))) return show(true);
  const grant = new provider.Grant({ accountId: user.id, clientId: params.client_id });
  grant.addOIDCScope(params.scope ?? '');
  // Not remembered: the next login in this browser asks again, as two people at one trial need it.
  return finish({ login: { accountId: user.id, remember: false }, consent: { grantId: await grant.save() } });
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  if (Number(request.headers['content-length'] ?? Number.NaN) <= MAX_FORM_BYTES)
    return new URLSearchParams(await text(request));
  throw new Error('the form is too long');
}
