import { HoopError } from '../core/errors.js';
import type { WellKnown } from '../identity/well-known.js';
import { publicKeyOf, type RecordingKey } from '../recording/keys.js';
import type { LiveResources } from './resources/live-resources.js';
import { VERSION } from './version.js';

/** What `/.well-known/hoop` says: all that a login and a verification need. */
export function card(live: LiveResources, key: RecordingKey): WellKnown {
  const providers = live.current.identityProviders;
  const provider = providers.find((candidate) => candidate.login && candidate.clientId !== undefined) ?? providers[0];
  if (provider === undefined) throw new HoopError('config_invalid', 'no identity provider is configured');
  const machines = providers.filter(({ machine }) => machine);
  return {
    version: VERSION,
    issuer: provider.issuer,
    audience: provider.audience,
    clientId: provider.clientId ?? '',
    scopes: provider.scopes,
    recordingKeys: [publicKeyOf(key)],
    ...(provider.loginToken === undefined ? {} : { loginToken: provider.loginToken }),
    ...(provider.audienceParameter === undefined ? {} : { audienceParameter: provider.audienceParameter }),
    ...(provider.publicClientSecret === undefined ? {} : { publicClientSecret: provider.publicClientSecret }),
    ...(provider.redirectUri === undefined ? {} : { redirectUri: provider.redirectUri }),
    // Jobs have to know the audience to ask their own host for.
    ...(machines.length === 0 ? {} : { jobIssuers: machines.map(({ issuer, audience }) => ({ issuer, audience })) }),
  };
}
