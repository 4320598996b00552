import { createHash } from 'node:crypto';

import type { UploadTarget } from '../core/resources.js';
import { encodePath, queryText, signedHeaders } from './signature.js';
import type { ArchiveCredentials } from './signature.js';
import { StoreWire } from './wire-exchange.js';
import type { WireAnswer } from './wire-exchange.js';

/** What is put into the store; read twice, once for its hash and once to be sent. */
export interface ObjectBody {
  readonly bytes: number;
  /** The bytes from one place up to another. */
  open(from: number, to: number): AsyncIterable<Uint8Array>;
}

/** The store answered, and did not take it. */
export class StoreFault extends Error {
  /**
   * @param code the store's own word for it, such as `NoSuchBucket`; empty where it gave none
   * @param whole nothing else would be taken either
   */
  constructor(
    readonly status: number,
    readonly code: string,
    readonly whole: boolean,
  ) {
    super(`answered with status ${String(status)}${code === '' ? '' : ` (${code})`}`);
    this.name = 'StoreFault';
  }
}

export interface ObjectStoreOptions {
  readonly target: UploadTarget;
  /** Asked for every request. */
  readonly credentials: () => Promise<ArchiveCredentials>;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** Requests under way together, at most. */
  readonly connections: number;
  /** Objects of more bytes go in parts of as many. @see PART_BYTES */
  readonly partBytes?: number;
}

/** A request that breaks off is sent again from its start: what is larger goes in parts. At most 10,000 parts. */
const PART_BYTES = 256 * 2 ** 20;
/** Answers that are about one object, and not about the bucket, the key or the moment. */
const OF_ONE_OBJECT = new Set([400, 405, 409, 411, 412, 413, 414]);
/** Of these, what is wrong with every request: the clock, the place, the credentials. */
const OF_ALL = new Set([
  'AuthorizationHeaderMalformed',
  'ExpiredToken',
  'InvalidAccessKeyId',
  'InvalidBucketName',
  'InvalidToken',
  'RequestTimeout',
  'RequestTimeTooSkewed',
]);
const CODE = /<Code>([A-Za-z]{1,64})<\/Code>/;
const UPLOAD_ID = /<UploadId>([^<]{1,2048})<\/UploadId>/;
const XML_SIGNS: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/**
 * Puts objects into a bucket of an S3-compatible store. What arrives is checked there: the SHA-256 of every body is part of
 * the signed request, and of objects in one piece it is kept with the object (`x-amz-checksum-sha256`).
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
 */
export class ObjectStore {
  readonly #wire: StoreWire;
  readonly #host: string;
  /** Before an object's key, encoded, with a slash at the end. */
  readonly #base: string;

  constructor(private readonly options: ObjectStoreOptions) {
    const { endpoint, bucket, pathStyle, prefix, ca } = options.target;
    const origin = new URL(endpoint);
    if (!pathStyle) origin.hostname = `${bucket}.${origin.hostname}`;
    this.#host = origin.host;
    this.#wire = new StoreWire(origin, ca, options.connections);
    const above = origin.pathname.replace(/\/$/, '');
    this.#base = `${above}/${encodePath(`${pathStyle ? `${bucket}/` : ''}${prefix}`)}`;
  }

  /**
   * Returns when the store has said that it keeps the object.
   *
   * @returns hex SHA-256 of the body
   * @throws StoreFault; Node's network errors; what reading the body and asking for credentials throws
   */
  async put(key: string, contentType: string, body: ObjectBody, signal: AbortSignal): Promise<string> {
    const partBytes = this.options.partBytes ?? PART_BYTES;
    if (body.bytes > partBytes) return this.#putInParts(key, contentType, body, { partBytes, signal });
    const hash = await hashOf(body.open(0, body.bytes));
    const checksum = Buffer.from(hash, 'hex').toString('base64');
    const answer = await this.#send(key, {
      ...{ method: 'PUT', hash, bytes: body.bytes, signal },
      headers: { 'content-type': contentType, 'x-amz-checksum-sha256': checksum },
      body: () => body.open(0, body.bytes),
    });
    const kept = answer.headers['x-amz-checksum-sha256'];
    // A store that says nothing has compared the signed hash; one that says another keeps something else.
    if (kept !== undefined && kept !== checksum) throw new StoreFault(answer.status, 'BadDigest', false);
    return hash;
  }

  close(): void {
    this.#wire.close();
  }

  /** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html */
  async #putInParts(
    key: string,
    contentType: string,
    body: ObjectBody,
    { partBytes, signal }: { readonly partBytes: number; readonly signal: AbortSignal },
  ): Promise<string> {
    const begun = await this.#sendText(key, 'POST', [['uploads', '']], '', signal, { 'content-type': contentType });
    const id = unescaped(UPLOAD_ID.exec(begun.text)?.[1] ?? '');
    if (id === '') throw new StoreFault(begun.status, '', false);
    try {
      const whole = createHash('sha256');
      const parts: string[] = [];
      for (let from = 0; from < body.bytes; from += partBytes) {
        const to = Math.min(from + partBytes, body.bytes);
        const hash = await hashOf(body.open(from, to), whole);
        const query = [
          ['partNumber', String(parts.length + 1)],
          ['uploadId', id],
        ] as const;
        const sent = { method: 'PUT', query, hash, bytes: to - from, signal, body: () => body.open(from, to) } as const;
        const { headers } = await this.#send(key, { ...sent, headers: {} });
        parts.push(
          `<Part><PartNumber>${String(parts.length + 1)}</PartNumber><ETag>${escaped(headers.etag ?? '')}</ETag></Part>`,
        );
      }
      const list = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`;
      const done = await this.#sendText(key, 'POST', [['uploadId', id]], list, signal, { 'content-type': 'text/xml' });
      // The answer begins before the store is done, so that a failure may come as a 200.
      if (!done.text.includes('<CompleteMultipartUploadResult'))
        throw new StoreFault(done.status, CODE.exec(done.text)?.[1] ?? '', false);
      return whole.digest('hex');
    } catch (error) {
      // Parts of what never became an object are paid for until they are taken back.
      await this.#sendText(key, 'DELETE', [['uploadId', id]], '', signal, {}).catch(() => undefined);
      throw error;
    }
  }

  #sendText(
    key: string,
    method: 'POST' | 'DELETE',
    query: readonly (readonly [string, string])[],
    text: string,
    signal: AbortSignal,
    headers: Readonly<Record<string, string>>,
  ): Promise<WireAnswer> {
    const bytes = Buffer.from(text);
    const hash = createHash('sha256').update(bytes).digest('hex');
    return this.#send(key, { method, query, headers, hash, bytes: bytes.length, signal, body: () => once(bytes) });
  }

  async #send(
    key: string,
    sent: {
      readonly method: 'PUT' | 'POST' | 'DELETE';
      readonly query?: readonly (readonly [string, string])[];
      readonly headers: Readonly<Record<string, string>>;
      readonly hash: string;
      readonly bytes: number;
      readonly signal: AbortSignal;
      readonly body: () => AsyncIterable<Uint8Array>;
    },
  ): Promise<WireAnswer> {
    const { method, query = [], hash, bytes, signal, body } = sent;
    const path = this.#base + encodePath(key);
    const headers = { ...sent.headers, 'content-length': String(bytes) };
    const credentials = await this.options.credentials();
    const request = { method, host: this.#host, path, query, headers, bodyHash: hash };
    const signed = signedHeaders(request, credentials, this.options.target.region, this.options.nowMs());
    const search = query.length === 0 ? '' : `?${queryText(query)}`;
    const answer = await this.#wire.exchange({ method, path: path + search, headers: signed, body, signal });
    if (answer.status >= 200 && answer.status < 300) return answer;
    const code = CODE.exec(answer.text)?.[1] ?? '';
    throw new StoreFault(answer.status, code, !OF_ONE_OBJECT.has(answer.status) || OF_ALL.has(code));
  }
}

/** @param also is given the same bytes */
async function hashOf(body: AsyncIterable<Uint8Array>, also?: { update(chunk: Uint8Array): unknown }): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of body) {
    hash.update(chunk);
    also?.update(chunk);
  }
  return hash.digest('hex');
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  if (bytes.length > 0) yield bytes;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${String(sign.charCodeAt(0))};`);
}

function unescaped(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|apos);/g, (_whole, name: string) => XML_SIGNS[name] ?? '');
}
