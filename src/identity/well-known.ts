import { HoopError } from '../core/errors.js';
import { AUDIENCE_PARAMETERS, LOGIN_TOKENS } from '../core/login-options.js';
import type { AudienceParameter, LoginToken } from '../core/login-options.js';
import { noAnswer } from '../network/no-answer.js';
import { createHttpExchange } from './http-exchange.js';
import type { HttpExchangeOptions } from './http-exchange.js';
import { readBody } from './read-body.js';

const MAX_BYTES = 256 * 1024;

/** What the agent says of itself at `/.well-known/hoop`: all that a login needs. */
export interface WellKnown {
  readonly version: string;
  readonly issuer: string;
  readonly audience: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Of providers, as Google, whose installed programs have a client secret that is none. */
  readonly publicClientSecret?: string;
  /** Which token the CLI sends: the access token, or the ID token of providers whose access tokens prove nothing to others. */
  readonly loginToken?: LoginToken;
  /** How the audience is asked for; left out: by what it looks like. */
  readonly audienceParameter?: AudienceParameter;
  /** A loopback address that the provider has registered for `hoop login --web`. */
  readonly redirectUri?: string;
  /** The audience that the tokens of CI jobs are made for, by issuer. */
  readonly jobIssuers?: readonly { readonly issuer: string; readonly audience: string }[];
  readonly recordingKeys: readonly { readonly keyId: string; readonly publicKey: string }[];
}

/**
 * Asks the agent what a login needs; sends no token.
 *
 * @param agentUrl without a slash at the end
 * @throws HoopError `unreachable`, `protocol`
 */
export async function fetchWellKnown(agentUrl: string, options: HttpExchangeOptions): Promise<WellKnown> {
  let status: number;
  let text: string;
  try {
    const answer = await createHttpExchange(options)(`${agentUrl}/.well-known/hoop`, {
      headers: { accept: 'application/json' },
    });
    status = answer.statusCode ?? 500;
    text = await readBody(answer, MAX_BYTES);
  } catch (error) {
    throw noAnswer('the agent does not answer', agentUrl, error);
  }
  if (status !== 200) throw notAnAgent(`a good status (${status})`);
  try {
    return parseWellKnown(JSON.parse(text));
  } catch (error) {
    throw error instanceof HoopError ? error : notAnAgent('JSON');
  }
}

/**
 * Checks the agent's answer. Unknown fields pass: a newer agent may say more.
 *
 * @throws HoopError `protocol`
 */
function parseWellKnown(value: unknown): WellKnown {
  const given = isRecord(value) ? value : {};
  const text = (name: string): string => {
    const field = given[name];
    if (typeof field !== 'string' || field === '') throw notAnAgent(name);
    return field;
  };
  const { scopes, recordingKeys } = given;
  if (!Array.isArray(scopes) || !scopes.every((scope) => typeof scope === 'string')) throw notAnAgent('scopes');
  if (!Array.isArray(recordingKeys) || !recordingKeys.every(isRecordingKey)) throw notAnAgent('recordingKeys');
  return {
    version: text('version'),
    issuer: text('issuer'),
    audience: text('audience'),
    clientId: text('clientId'),
    scopes,
    recordingKeys,
    ...optional(given, 'loginToken', oneOf(LOGIN_TOKENS)),
    ...optional(given, 'audienceParameter', oneOf(AUDIENCE_PARAMETERS)),
    ...optional(given, 'publicClientSecret', asText),
    ...optional(given, 'redirectUri', asText),
    ...optional(given, 'jobIssuers', readJobIssuers),
  };
}

function optional<Name extends string, Value>(
  given: Record<string, unknown>,
  name: Name,
  read: (value: unknown) => Value | undefined,
): { readonly [Key in Name]?: Value } {
  if (given[name] === undefined) return {};
  const value = read(given[name]);
  if (value === undefined) throw notAnAgent(name);
  return { [name]: value } as { readonly [Key in Name]?: Value };
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function oneOf<Value extends string>(values: readonly Value[]): (value: unknown) => Value | undefined {
  return (value) => values.find((known) => known === value);
}

function readJobIssuers(value: unknown): WellKnown['jobIssuers'] {
  const good = (entry: unknown): entry is { readonly issuer: string; readonly audience: string } =>
    isRecord(entry) && typeof entry['issuer'] === 'string' && typeof entry['audience'] === 'string';
  return Array.isArray(value) && value.every(good) ? value : undefined;
}

function isRecordingKey(value: unknown): value is WellKnown['recordingKeys'][number] {
  return isRecord(value) && typeof value['keyId'] === 'string' && typeof value['publicKey'] === 'string';
}

function notAnAgent(field: string): HoopError {
  return new HoopError('protocol', 'the answer at /.well-known/hoop is not an agent’s', {
    why: `it lacks ${field}, or that is not of the right kind`,
    suggestion: 'check the address of the agent',
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
