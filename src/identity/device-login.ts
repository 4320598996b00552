import * as oidc from 'openid-client';
import { HoopError } from '../core/errors.js';
import type { Fetch } from './http-fetch.js';
import { isLoopback } from './loopback.js';
import { audienceParameters, discoverIssuer, explainOidcFailure, toTokenSet } from './oidc-client.js';
import type { TokenSet } from './token-set.js';
import type { WellKnown } from './well-known.js';

/** What a person needs to confirm the login in a browser, on whatever machine that is. */
export interface DevicePrompt {
  readonly userCode: string;
  readonly verificationUri: string;
  /** Holds the code already; for a QR code and for opening. Absent where the provider offers none. */
  readonly verificationUriComplete: string | undefined;
  /** Seconds from now. */
  readonly expiresInS: number;
}

/**
 * Logs a person in by the device flow: shows a code, waits until it is confirmed, gives the tokens.
 *
 * @param options.signal ends the waiting
 * @throws HoopError `login_denied`, `login_expired`, `unreachable`, `protocol`; `usage` where the provider has no
 *   device flow
 * @see https://www.rfc-editor.org/rfc/rfc8628#section-3
 */
export async function deviceLogin(options: {
  readonly agent: Omit<WellKnown, 'version' | 'recordingKeys'>;
  readonly fetch: Fetch;
  readonly show: (prompt: DevicePrompt) => void;
  readonly signal?: AbortSignal;
}): Promise<TokenSet> {
  const { agent } = options;
  const issuer = await discoverIssuer(agent, options.fetch);
  if (issuer.serverMetadata().device_authorization_endpoint === undefined) {
    throw new HoopError('usage', 'the identity provider has no device flow', {
      suggestion: 'run `hoop login --web`: it logs in by a browser on this machine',
    });
  }
  const target = audienceParameters(agent.audience, agent.audienceParameter);
  try {
    const device = await oidc.initiateDeviceAuthorization(issuer, { scope: agent.scopes.join(' '), ...target });
    options.show({
      userCode: device.user_code,
      verificationUri: checkLink(device.verification_uri),
      verificationUriComplete: device.verification_uri_complete && checkLink(device.verification_uri_complete),
      expiresInS: device.expires_in,
    });
    // Waits `interval` between questions, and longer when told to `slow_down`.
    const answer = await oidc.pollDeviceAuthorizationGrant(
      issuer,
      device,
      target,
      options.signal === undefined ? {} : { signal: options.signal },
    );
    return toTokenSet(answer, agent, Math.floor(Date.now() / 1000));
  } catch (error) {
    if (options.signal?.aborted === true) throw options.signal.reason;
    throw explainExpired(explainOidcFailure(error, 'the identity provider did not go through with the login'));
  }
}

/** Providers that forget a code once its time is over answer `invalid_grant` for `expired_token`. */
function explainExpired(failure: HoopError): HoopError {
  if (failure.code !== 'token_refused') return failure;
  return new HoopError('login_expired', 'the code was not confirmed in time', {
    why: 'the identity provider has dropped it',
  });
}

/** The link is opened in a browser: nothing but a web page may come of it. */
function checkLink(link: string): string {
  const url = URL.canParse(link) ? new URL(link) : undefined;
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url))) return url.href;
  throw new HoopError('protocol', 'the link of the identity provider is no https address');
}
