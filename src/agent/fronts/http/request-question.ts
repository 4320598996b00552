import type { RequestEvent } from '../../../core/events.js';
import { concatBytes } from '../../../core/bytes.js';
import { HoopError } from '../../../core/errors.js';
import type { KeyedHash, MaskCounts } from '../../../core/mask.js';
import type { Question } from '../../../protocols/contract.js';
import { maskTarget } from '../../../protocols/http/bodies/form-masking.js';
import type { HttpRequest, RequestReading } from '../../../protocols/http/dialect.js';
import { PathMaskedBody } from '../../../protocols/http/bodies/path-masked-body.js';
import type { Facts } from '../../../policy/types.js';
import { BodyCapture } from './body-capture.js';
import type { ConnectionRules } from './connection-rules.js';
import type { Intake } from './intake.js';

/** Most characters of a request's text that a search finds, and that lists show. */
const TEXT_CHARS = 16 * 1024;
const SPEAKER_CHARS = 64;
/** Bytes of a masked body that the record keeps. */
const KEPT_BYTES = 64 * 1024;

/** Headers that change from try to try without changing what is asked for: an approval is not bound to them. */
const VOLATILE =
  /^(?:user-agent|accept|accept-.*|traceparent|tracestate|baggage|x-stainless-.*|idempotency-key|x-request-id|cache-control|pragma|priority|sec-.*)$/;

/** Headers of which a reviewer learns nothing that the rest of the request does not tell. */
const PLAIN = /^(?:content-type|content-length|transfer-encoding|host|connection)$/;
/** Headers whose values are nobody's business: that they are there is told. */
const SECRET = /auth|cookie|token|secret|password|key|signature|credential/;

export interface AskedRequest {
  readonly request: HttpRequest;
  readonly intake: Intake;
  readonly reading: RequestReading;
  readonly rules: ConnectionRules;
  readonly hash: KeyedHash;
  /** Of the messages of an upgraded stream, which; absent: a request is the first of its session. */
  readonly statement?: number;
}

/** One request as policy, reviewers and the record see it. */
export class RequestQuestion implements Question {
  readonly statement: number;
  readonly phase = 'run';
  readonly facts: Facts;
  readonly basis: object;
  /** The body, masked at the places that any rule names: nothing else of it is shown to people or recorded. */
  readonly #shown: Uint8Array;

  constructor(private readonly asked: AskedRequest) {
    this.statement = asked.statement ?? 1;
    this.facts = asked.reading.facts;
    this.basis = this.facts;
    this.#shown = withoutPlaces(asked);
  }

  /** Nothing is learnt of a request later. */
  completed(): void {
    throw new TypeError('facts of a request are complete from the start');
  }

  event(): RequestEvent {
    const { request, intake, reading } = this.asked;
    const body = this.#maskedBody();
    return {
      type: 'request',
      statement: this.statement,
      method: request.method,
      path: this.#target(),
      text: this.#masked(this.#text().slice(0, TEXT_CHARS)),
      ...this.#speaker(),
      ...(intake.bytes.length === 0 ? {} : { body }),
      ...(intake.whole ? { bodyBytes: intake.bytes.length } : {}),
      ...(request.contentType === '' ? {} : { contentType: request.contentType }),
      ...(reading.endpoint === '' ? {} : { endpoint: reading.endpoint, stream: reading.stream }),
      ...(reading.model === '' ? {} : { model: this.#masked(reading.model) }),
    };
  }

  /** Whole: whoever approves has to see everything that will be sent. */
  reviewText(): string {
    const { request, intake } = this.asked;
    const head = [`${request.method} ${this.#target()}`, ...this.#headerLines()].join('\n');
    if (intake.bytes.length === 0) return head;
    return `${head}\n\n${this.#masked(new TextDecoder().decode(this.#shown))}`;
  }

  /** A header may change what is asked for altogether: for whom, of which tenant, in which version. */
  #headerLines(): string[] {
    return this.asked.request.headers
      .filter(([name]) => !VOLATILE.test(name) && !PLAIN.test(name))
      .map(([name, value]) => `${name}: ${SECRET.test(name) ? '[not shown]' : this.#masked(value)}`);
  }

  bindTo(): Uint8Array {
    const { request, intake } = this.asked;
    const headers = request.headers.filter(([name]) => !VOLATILE.test(name));
    const head = JSON.stringify([request.method, request.path, request.query, headers]);
    return concatBytes([new TextEncoder().encode(`${head}\n`), intake.bytes]);
  }

  /** The newest message may be what stands at a place that is masked. */
  #text(): string {
    const { request, intake, reading } = this.asked;
    return this.#shown === intake.bytes ? reading.text : `${request.method} ${this.#target()}`;
  }

  #speaker(): Pick<RequestEvent, 'from'> {
    const { intake, reading } = this.asked;
    const { from = 'user' } = reading;
    if (from === 'user' || this.#shown !== intake.bytes) return {};
    return { from: this.#masked(from.slice(0, SPEAKER_CHARS)) };
  }

  #target(): string {
    return maskTarget(this.asked.request, (text) => this.#masked(text));
  }

  #masked(text: string): string {
    return this.asked.rules.recordText?.maskText(text, new Map()) ?? text;
  }

  /** Masked before it is cut, and what might go on behind the cut is left out with it. */
  #maskedBody(): string {
    const { intake, rules, request } = this.asked;
    const bytes = this.#shown;
    const capture = new BodyCapture({ bytes: KEPT_BYTES, hashBytes: 0 });
    const json = request.contentType.endsWith('json');
    const stream = json ? rules.record?.json(new Map()) : rules.record?.text(new Map());
    if (stream === undefined) capture.take(bytes);
    else {
      capture.take(stream.push(bytes.subarray(0, 2 * TEXT_CHARS * 4)));
      if (intake.whole && bytes.length <= 2 * TEXT_CHARS * 4) capture.take(stream.end());
    }
    return capture.text();
  }
}

/** Of a body that is not there whole, or is not what it says, only what certainly holds no such place. */
function withoutPlaces({ request, intake, rules, hash }: AskedRequest): Uint8Array {
  if (rules.paths.record.length === 0 || intake.bytes.length === 0) return intake.bytes;
  const { contentType } = request;
  // Places of JSON in a part are not looked for.
  if (contentType.startsWith('multipart/')) return new Uint8Array();
  const counts: MaskCounts = new Map();
  const maxBytes = Number.POSITIVE_INFINITY;
  const body = new PathMaskedBody(undefined, {
    rules: rules.paths.record,
    hash,
    counts,
    contentType,
    maxBytes,
  });
  try {
    const begun = body.push(intake.bytes);
    if (!intake.whole) return begun;
    const shown = concatBytes([begun, body.end()]);
    return counts.size === 0 ? intake.bytes : shown;
  } catch (error) {
    if (error instanceof HoopError) return new Uint8Array();
    throw error;
  }
}

export function targetOf(request: Pick<HttpRequest, 'path' | 'query'>): string {
  return request.query === '' ? request.path : `${request.path}?${request.query}`;
}
