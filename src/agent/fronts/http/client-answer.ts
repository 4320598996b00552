import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Dialect, Header, HttpRefusal, RequestReading } from '../../../protocols/http/dialect.js';
import { NOT_AGAIN } from './refusals.js';
import type { AnswerBeginning, AnswerOut } from './answers/answer-out.js';

/** How often a waiting client of an event stream hears from us. */
const PING_MS = 10_000;
/** Most bytes of an upstream's error that are put into a stream that has begun. */
const ERROR_BYTES = 64 * 1024;

/** What is no ASCII of one line: a header has no other words. */
const UNWRITABLE = /[^ -~]/gu;

const EVENT_STREAM: readonly Header[] = [
  ['content-type', 'text/event-stream; charset=utf-8'],
  ['cache-control', 'no-cache'],
];

/**
 * The client's side of one exchange.
 *
 * Fresh, then either begun by an answer or a refusal, or kept waiting as an event stream: then an answer that is
 * none becomes an error event, since a status can't be taken back.
 */
export class ClientAnswer implements AnswerOut {
  #state: 'fresh' | 'waiting' | 'begun' | 'over' = 'fresh';
  #eventStream = false;
  #pings: NodeJS.Timeout | undefined;
  /** The upstream's error, where it comes too late to be a status. */
  #late: { readonly status: number; readonly parts: Uint8Array[]; bytes: number } | undefined;
  #wrote = false;
  /** What is answered, once it was read. */
  reading: RequestReading | undefined;
  /** What rules warn of, once it was decided; it goes out with the head of an answer that nobody waited for. */
  warnings: readonly string[] = [];
  /** Status that the client got; 0 before. */
  status = 0;

  constructor(
    private readonly response: ServerResponse,
    private readonly incoming: IncomingMessage,
    private readonly dialect: Dialect,
    /** Empty where the request did not get as far as a session. */
    private readonly session: string,
  ) {}

  /** Can the client still be given an answer? */
  get open(): boolean {
    return this.#state !== 'over' && !this.response.destroyed;
  }

  /** Keeps the client of an event stream patient while people decide. */
  wait(): void {
    if (this.#state !== 'fresh') return;
    this.#state = 'waiting';
    this.#head(200, EVENT_STREAM);
    const ping = (): void => {
      this.response.write(this.dialect.ping);
    };
    ping();
    this.#pings = setInterval(ping, PING_MS);
    this.#pings.unref();
  }

  begin(status: number, headers: readonly Header[], { atOnce, reason }: AnswerBeginning): void {
    clearInterval(this.#pings);
    const eventStream = headers.some(
      ([name, value]) => name === 'content-type' && /^text\/event-stream\b/i.test(value),
    );
    if (this.#state === 'waiting') {
      if (status !== 200 || !eventStream) this.#late = { status, parts: [], bytes: 0 };
      this.#state = 'begun';
      return;
    }
    if (this.#state !== 'fresh') return;
    this.#state = 'begun';
    this.#eventStream = eventStream;
    this.#head(status, headers, reason);
    if (atOnce) process.nextTick(() => this.#sendHead());
  }

  /** What came together with the head goes out with it, in one write. */
  #sendHead(): void {
    if (!this.#wrote && this.open) this.response.flushHeaders();
  }

  write(bytes: Uint8Array): boolean {
    const late = this.#late;
    this.#wrote = true;
    if (late === undefined) return this.response.write(bytes);
    if (late.bytes < ERROR_BYTES) late.parts.push(bytes);
    late.bytes += bytes.length;
    return true;
  }

  end(): void {
    if (this.#late !== undefined) this.response.write(this.#lateError(this.#late));
    this.#over();
    this.response.end();
  }

  onDrain(listener: () => void): void {
    this.response.on('drain', listener);
  }

  /** Ends with a refusal, in the form that the client can still take. */
  refuse(refusal: HttpRefusal, headers: readonly Header[] = []): void {
    const { response, dialect } = this;
    if (!this.open) return;
    const state = this.#state;
    this.#over();
    if (state === 'fresh') {
      const { contentType, body } = dialect.refusal(refusal, this.reading);
      const all: Header[] = [
        ['content-type', contentType],
        ['content-length', String(Buffer.byteLength(body))],
        ['cache-control', 'no-store'],
        ...headers,
      ];
      if (refusal.status === 401) all.push(['www-authenticate', 'Bearer realm="hoop"']);
      // What came once and can't be given on would cost as much when it is asked for again.
      if (refusal.code === 'hoop_upstream') all.push(NOT_AGAIN);
      // Nobody reads the rest of a body that was refused.
      if (!this.incoming.complete) all.push(['connection', 'close']);
      this.#head(refusal.status, all);
      response.end(body);
    } else if (this.#eventStream) {
      response.end(dialect.streamRefusal(refusal, this.reading));
    } else {
      // In the middle of a body there is no place for words: a cut can't be taken for the end.
      response.destroy();
    }
  }

  #head(status: number, headers: readonly Header[], reason = ''): void {
    this.status = status;
    if (this.#state === 'waiting') this.#eventStream = true;
    this.response.sendDate = !headers.some(([name]) => name === 'date');
    const own: Header[] = this.session === '' ? [] : [['x-hoop-session', this.session]];
    for (const warning of this.warnings) own.push(['x-hoop-warning', warning.replace(UNWRITABLE, '?')]);
    if (reason !== '') this.response.statusMessage = reason;
    this.response.writeHead(status, [...headers, ...own].flat());
  }

  #over(): void {
    clearInterval(this.#pings);
    this.#state = 'over';
  }

  #lateError({ status, parts }: { readonly status: number; readonly parts: readonly Uint8Array[] }): string {
    const text = Buffer.concat(parts).toString('utf8');
    return this.dialect.streamRefusal({ status, code: 'upstream_error', message: messageIn(text) }, this.reading);
  }
}

/** `error.message` of an error body of either dialect, else the text. */
function messageIn(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } };
    if (typeof error?.message === 'string') return error.message;
  } catch {
    // Not JSON: the text has to do.
  }
  return text.slice(0, 1_000);
}
