import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { ERRORS, HoopError } from '../core/errors.js';
import type { ErrorCode } from '../core/errors.js';
import type { Identity } from '../core/identity.js';
import { createHttpExchange } from '../identity/http-exchange.js';
import type { HttpExchange, HttpExchangeOptions } from '../identity/http-exchange.js';
import { readBody } from '../identity/read-body.js';
import { noAnswer } from '../network/no-answer.js';
import { fetchWellKnown } from '../identity/well-known.js';
import type { WellKnown } from '../identity/well-known.js';
import { advised } from './given-token.js';
import type { GivenToken } from './given-token.js';

/** Largest answer read into memory; longer ones are streamed. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;

/** What `GET /v1/whoami` answers: the identity as the agent's verifier read it. */
export type Whoami = Pick<Identity, 'subject' | 'email' | 'groups' | 'issuer' | 'machine' | 'expiresAt'>;

/**
 * The agent's REST interface as the CLI sees it.
 *
 * Every failure is a `HoopError`: `unreachable` where no answer came, the agent's own code where it
 * gave one. The token goes into a header only, and no redirect is followed with it.
 */
export class AgentApi {
  readonly url: string;
  /** Undefined where the token is a login's own. */
  readonly given: GivenToken | undefined;
  readonly #token: () => Promise<string>;
  readonly #options: HttpExchangeOptions;
  readonly #exchange: HttpExchange;

  /** @param options.url without a slash at the end */
  constructor(options: {
    readonly url: string;
    readonly token: () => Promise<string>;
    readonly caFile?: string | undefined;
    readonly given?: GivenToken | undefined;
  }) {
    this.given = options.given;
    this.url = options.url;
    this.#token = options.token;
    this.#options = { caFile: options.caFile };
    this.#exchange = createHttpExchange(this.#options);
  }

  /** Who the agent takes the caller for. */
  whoami(): Promise<Whoami> {
    return this.get<Whoami>('/v1/whoami');
  }

  /** What the agent says of itself; asks without a token. */
  wellKnown(): Promise<WellKnown> {
    return fetchWellKnown(this.url, this.#options);
  }

  /** @param path from the root, query included: `/v1/sessions?user=ann` */
  async get<T>(path: string): Promise<T> {
    return (await readJson(await this.#authorized('GET', path))) as T;
  }

  async post<T>(path: string, body: unknown): Promise<T> {
    return (await readJson(await this.#authorized('POST', path, body))) as T;
  }

  /** The answer's bytes as they come, for downloads and for following what is live. */
  stream(path: string): Promise<Readable> {
    return this.#authorized('GET', path, undefined, true);
  }

  async #authorized(method: string, path: string, body?: unknown, live = false): Promise<IncomingMessage> {
    const headers: Record<string, string> = {
      authorization: `Bearer ${await this.#token()}`,
      accept: 'application/json',
    };
    if (body !== undefined) headers['content-type'] = 'application/json';
    let answer: IncomingMessage;
    try {
      const text = body === undefined ? undefined : JSON.stringify(body);
      answer = await this.#exchange(`${this.url}${path}`, { method, headers, body: text, live });
    } catch (error) {
      throw noAnswer('the agent does not answer', this.url, error);
    }
    const status = answer.statusCode ?? 500;
    if (status >= 200 && status < 300) return answer;
    throw advised(await failureOf(status, answer), this.given);
  }
}

/** The agent's error body as the error it names; a status alone where there is none. */
async function failureOf(status: number, body: AsyncIterable<Uint8Array>): Promise<HoopError> {
  const told = await readBody(body, MAX_ERROR_BYTES)
    .then(parseFailure)
    .catch(() => undefined);
  if (told !== undefined) return told;
  if (status === 401) return new HoopError('token_refused', 'the agent refused the token');
  if (status === 403) return new HoopError('not_allowed', 'the agent refused this');
  if (status === 404) return new HoopError('not_found', 'the agent does not know this');
  const redirect = status >= 300 && status < 400;
  return new HoopError(redirect ? 'protocol' : 'failed', `the agent answered with status ${status}`, {
    why: redirect ? 'a redirect is never followed with a token' : 'the answer holds no reason',
  });
}

function parseFailure(text: string): HoopError | undefined {
  const body = JSON.parse(text) as { readonly error?: Readonly<Record<string, unknown>> } | null;
  const { code, message, suggestion } = body?.error ?? {};
  if (typeof code !== 'string' || !Object.hasOwn(ERRORS, code) || typeof message !== 'string') return undefined;
  return new HoopError(code as ErrorCode, message, typeof suggestion === 'string' ? { suggestion } : {});
}

async function readJson(body: AsyncIterable<Uint8Array>): Promise<unknown> {
  try {
    const text = await readBody(body, MAX_ANSWER_BYTES);
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  } catch (error) {
    if (error instanceof HoopError) throw error;
    if (error instanceof SyntaxError)
      throw new HoopError('protocol', 'the answer is no JSON', { suggestion: 'check the address of the agent' });
    throw new HoopError('unreachable', 'the agent broke off its answer', { cause: error });
  }
}
