import { AUDIENCE_PARAMETERS, LOGIN_TOKENS } from '../core/login-options.js';
import type { AudienceParameter, LoginToken } from '../core/login-options.js';

/** What a login gave, as it is kept. */
export interface TokenSet {
  /** What the agent is sent: of providers with `loginToken: id` the ID token. */
  readonly accessToken: string;
  /** Absent where the provider gave none: then the login ends with the access token. */
  readonly refreshToken?: string;
  /** Seconds since the epoch. */
  readonly obtainedAt: number;
  /** Seconds since the epoch, by this machine's clock. */
  readonly expiresAt: number;
  /** Where and as whom it is refreshed and revoked. */
  readonly issuer: string;
  readonly clientId: string;
  readonly audience: string;
  /** Random, the same through all refreshes: tells one login from the next. */
  readonly loginId?: string;
  readonly publicClientSecret?: string;
  readonly loginToken?: LoginToken;
  readonly audienceParameter?: AudienceParameter;
}

const TEXTS = ['accessToken', 'issuer', 'clientId', 'audience'] as const;
const OPTIONAL_TEXTS = ['refreshToken', 'loginId', 'publicClientSecret'] as const;
const TIMES = ['obtainedAt', 'expiresAt'] as const;

/** The token set in a parsed file or keychain entry; undefined where it is none. */
export function asTokenSet(value: unknown): TokenSet | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const given = value as Record<string, unknown>;
  if (!TEXTS.every((name) => typeof given[name] === 'string')) return undefined;
  if (!TIMES.every((name) => typeof given[name] === 'number')) return undefined;
  if (!OPTIONAL_TEXTS.every((name) => ['undefined', 'string'].includes(typeof given[name]))) return undefined;
  const known = (name: string, values: readonly string[]): boolean =>
    given[name] === undefined || values.includes(given[name] as string);
  if (!known('loginToken', LOGIN_TOKENS) || !known('audienceParameter', AUDIENCE_PARAMETERS)) return undefined;
  return value as TokenSet;
}

const LONGEST_LEAD_S = 60;

/** Is it time to refresh? In the last minute, or the last fifth of a short life. */
export function isNearEnd(tokens: Pick<TokenSet, 'obtainedAt' | 'expiresAt'>, nowS: number): boolean {
  const lead = Math.min(LONGEST_LEAD_S, (tokens.expiresAt - tokens.obtainedAt) / 5);
  return nowS >= tokens.expiresAt - lead;
}
