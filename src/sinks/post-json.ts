import { createFetch } from '../identity/http-fetch.js';
import type { SecretRef } from '../core/resources.js';
import { DeliveryFault, type DeliveryHost } from './delivery.js';

/** Longest wait for an answer, in ms. */
const TIMEOUT_MS = 10_000;
/** Of an answer, no more is read. */
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_RETRY_AFTER_MS = 10 * 60_000;

/** Answers of which another attempt may end differently, although the request is said to be at fault: a key or address may be mended. */
const WORTH_RETRYING = new Set([401, 403, 404, 407, 408, 409, 421, 423, 425, 429]);

export interface PostOptions {
  readonly url: string;
  readonly ca?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

/**
 * Posts JSON, through the environment's proxy; follows no redirect. Whatever the other end writes is in no error.
 *
 * @returns the answer's text, bounded
 * @throws DeliveryFault for an answer that is no success; Node's network errors
 */
export async function postJson(options: PostOptions): Promise<string> {
  const send = createFetch({ caFile: options.ca, timeoutMs: TIMEOUT_MS });
  const answer = await send(options.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(options.body)),
      'user-agent': 'hoop-agent',
      ...options.headers,
    },
    body: options.body,
    signal: options.signal,
  });
  const text = await boundedText(answer);
  if (answer.ok) return text;
  const { status } = answer;
  const final = status >= 400 && status < 500 && !WORTH_RETRYING.has(status);
  throw new DeliveryFault(`answered with status ${String(status)}`, final, retryAfterMs(answer));
}

/** The value of each header, from where its reference says. */
export async function revealHeaders(
  headers: Readonly<Record<string, SecretRef>>,
  host: DeliveryHost,
): Promise<Record<string, string>> {
  const revealed: Record<string, string> = {};
  for (const [name, reference] of Object.entries(headers)) revealed[name] = await host.reveal(reference);
  return revealed;
}

/** RFC 9110 section 10.2.3, in seconds; dates are left to the usual pause. */
function retryAfterMs(answer: Response): number | undefined {
  const seconds = /^\d{1,6}$/.exec(answer.headers.get('retry-after') ?? '');
  return seconds === null ? undefined : Math.min(Number(seconds[0]) * 1_000, MAX_RETRY_AFTER_MS);
}

async function boundedText(answer: Response): Promise<string> {
  if (answer.body === null) return '';
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
