import { Agent as HttpAgent, request as requestHttp } from 'node:http';
import type { AgentOptions, ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { HoopError } from '../core/errors.js';
import { wireFor } from '../network/open-wire.js';
import { trustWith } from '../network/trust.js';

export interface WireRequest {
  readonly method: string;
  /** With its query, as it was signed. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Called again where a kept connection was closed under the request. */
  readonly body: () => AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** At most `MAX_ANSWER_BYTES` of it. */
  readonly text: string;
}

/** Longest silence, in ms: of a handshake, and of either side within a request. */
const SILENCE_MS = 30_000;
/** Answers of a store are short XML. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** Connections to one store: kept open between requests, through the environment's proxy, their TLS always verified. */
export class StoreWire {
  readonly #agent: HttpAgent;
  readonly #secure: boolean;

  /**
   * @param origin `https://host:port`
   * @param caFile a PEM file that is trusted besides the usual certificates
   * @throws HoopError `config_invalid` where it can't be read
   */
  constructor(
    private readonly origin: URL,
    caFile: string | undefined,
    connections: number,
  ) {
    readable(caFile);
    this.#secure = origin.protocol === 'https:';
    const options: AgentOptions = { keepAlive: true, maxSockets: connections };
    this.#agent = this.#secure ? new HttpsAgent(options) : new HttpAgent(options);
    this.#agent.createConnection = wireFor(origin, {
      caFile,
      timeoutMs: SILENCE_MS,
    }) as unknown as HttpAgent['createConnection'];
  }

  /** One request and its answer; redirects are answers like others. Rejects with Node's network errors. */
  async exchange(request: WireRequest): Promise<WireAnswer> {
    let reused = false;
    try {
      return await this.#attempt(request, (kept) => (reused = kept));
    } catch (error) {
      // The other end closed a connection that had been idle, at the moment that it was used: it has seen nothing.
      if (reused && (error as NodeJS.ErrnoException).code === 'ECONNRESET' && !request.signal.aborted)
        return this.#attempt(request, () => undefined);
      throw error;
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #attempt(wanted: WireRequest, onReuse: (reused: boolean) => void): Promise<WireAnswer> {
    const { method, path, headers, body, signal } = wanted;
    const request = (this.#secure ? requestHttps : requestHttp)({
      ...{ agent: this.#agent, host: this.origin.hostname, port: this.origin.port, method, path, signal },
      headers: { ...headers, 'user-agent': 'hoop-agent' },
    });
    request.setTimeout(SILENCE_MS, () => request.destroy(silence()));
    const answer = answerTo(request);
    const sent = pipeline(Readable.from(body()), request);
    // An answer may come before all is sent, and is then what there is to know.
    sent.catch(() => onReuse(request.reusedSocket));
    answer.catch(() => onReuse(request.reusedSocket));
    const first = await Promise.race([answer, sent.then(() => answer)]).catch(async (error: unknown) => {
      const late = await Promise.race([answer.catch(() => undefined), pauseOf(ANSWER_GRACE_MS)]);
      if (late === undefined) throw error;
      return late;
    });
    const text = await first.text;
    // Answered before all was sent: the rest of the body stands in nobody's way.
    if (!request.writableFinished) request.destroy();
    return { ...first, text };
  }
}

/** Said at the start, and not by the first copy. */
function readable(caFile: string | undefined): void {
  try {
    trustWith(caFile);
  } catch (cause) {
    throw new HoopError('config_invalid', 'the file of `recordings.upload.ca` can not be read', { cause });
  }
}

/** How long after a broken sending an answer, which explains it, may still arrive, in ms. */
const ANSWER_GRACE_MS = 100;

type Head = Omit<WireAnswer, 'text'> & { readonly text: Promise<string> };

function answerTo(request: ClientRequest): Promise<Head> {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (message) => {
      const text = textOf(message);
      text.catch(() => undefined);
      resolve({ status: message.statusCode ?? 0, headers: message.headers, text });
    });
  });
}

async function textOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_ANSWER_BYTES) chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function silence(): NodeJS.ErrnoException {
  return Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' });
}

function pauseOf(ms: number): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms, undefined).unref();
  });
}
