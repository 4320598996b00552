import type { ServerResponse } from 'node:http';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import type { Answer, StreamEvent } from './answer.js';
import { ContentEncoder } from './content-encoder.js';
import type { Encoding, Steering } from './steering.js';

export interface DeliveryOptions {
  readonly steering: Steering;
  /** What the request accepts. */
  readonly acceptEncoding: string;
  /** Opens when the test says so. */
  readonly gate: () => Promise<void>;
}

/** Where a redirect leads: a host of its own, that nobody may be sent to with a credential. */
export const REDIRECTED_TO = 'http://elsewhere.invalid/v1/stolen';

/** Sends one answer, cut, slowed and broken as the steering says. */
export async function deliver(response: ServerResponse, given: Answer, options: DeliveryOptions): Promise<void> {
  const { steering } = options;
  const { fault } = steering;
  const answer = given.kind === 'whole' && fault === 'malformed' ? { ...given, body: given.body.slice(0, -3) } : given;
  if (steering.firstMs > 0) await wait(steering.firstMs);
  if (fault === 'hang') return;
  if (fault === 'reset') return void response.socket?.resetAndDestroy();
  if (fault === 'redirect') return void response.writeHead(302, { location: REDIRECTED_TO }).end();
  const encoding = encodingOf(options);
  response.writeHead(answer.kind === 'whole' ? answer.status : 200, headersOf(answer, steering, encoding));
  const out = new Delivery(response, steering, encoding === '' ? undefined : new ContentEncoder(encoding));
  if (answer.kind === 'whole') await sendWhole(out, answer.body, options);
  else await sendEvents(out, answer.events, answer.error, options);
  await out.end();
}

function encodingOf({ steering, acceptEncoding }: DeliveryOptions): '' | Encoding {
  if (steering.fault === 'unasked-encoding') return 'gzip';
  const { encoding } = steering;
  return encoding !== '' && acceptEncoding.includes(encoding) ? encoding : '';
}

function headersOf(answer: Answer, steering: Steering, encoding: string): Record<string, string> {
  const { fault } = steering;
  const type = answer.kind === 'whole' ? answer.contentType : 'text/event-stream; charset=utf-8';
  const said = fault === 'lying-encoding' ? 'gzip' : fault === 'unknown-encoding' ? 'rot13' : encoding;
  const isWhole = answer.kind === 'whole' && encoding === '' && steering.chunkBytes === 0;
  return {
    'content-type': fault === 'wrong-type' ? 'text/html; charset=utf-8' : type,
    ...(said === '' ? {} : { 'content-encoding': said }),
    ...(isWhole ? { 'content-length': String(Buffer.byteLength(answer.body)) } : {}),
    ...(answer.kind === 'whole' ? answer.headers : { 'cache-control': 'no-cache' }),
  };
}

/** Resolves once more may be written, or nothing more will be read. */
export function roomIn(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) return resolve();
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

/** The bytes of one answer on their way, with backpressure. */
class Delivery {
  constructor(
    readonly response: ServerResponse,
    private readonly steering: Steering,
    private readonly encoder: ContentEncoder | undefined,
  ) {}

  get isGone(): boolean {
    return this.response.destroyed;
  }

  async send(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    await this.#write(this.encoder === undefined ? bytes : await this.encoder.push(bytes));
  }

  /** Ends the connection in the middle of what was sent last. */
  async cut(): Promise<void> {
    // What was written must be on its way: otherwise nothing of it would arrive.
    await new Promise<void>((resolve) => this.response.write('', () => resolve()));
    this.response.destroy();
  }

  async end(): Promise<void> {
    if (this.isGone) return;
    if (this.encoder !== undefined) await this.#write(await this.encoder.end());
    this.response.end();
  }

  async #write(bytes: Buffer): Promise<void> {
    const size = this.steering.chunkBytes === 0 ? bytes.length : this.steering.chunkBytes;
    for (let at = 0; at < bytes.length && !this.isGone; at += size) {
      const isRoom = this.response.write(bytes.subarray(at, at + size));
      // Each on its own, or Node sends those of one turn together.
      if (size < bytes.length) await turn();
      if (!isRoom) await roomIn(this.response);
    }
  }
}

async function sendWhole(out: Delivery, body: string, { steering }: DeliveryOptions): Promise<void> {
  if (steering.fault !== 'cut') return out.send(body);
  await out.send(body.slice(0, Math.floor(body.length / 2)));
  return out.cut();
}

/** Faults come after some of the text has. */
const FAULT_AT = 5;

async function sendEvents(
  out: Delivery,
  events: Iterable<StreamEvent>,
  error: StreamEvent,
  { steering, gate }: DeliveryOptions,
): Promise<void> {
  const { fault, delayMs } = steering;
  const coming = events[Symbol.iterator]();
  let next = coming.next();
  for (let number = 0; next.done !== true && !out.isGone; number += 1) {
    const event = next.value;
    next = coming.next();
    if (number > 0 && delayMs > 0) await wait(delayMs);
    if (number === steering.gate) await gate();
    const text = written(event, steering);
    const isFaulty = number === FAULT_AT;
    if (isFaulty && fault === 'error-event') return out.send(written(error, steering));
    if (isFaulty && fault === 'cut') {
      await out.send(text.slice(0, Math.floor(text.length / 2)));
      return out.cut();
    }
    if (next.done === true && fault === 'no-end') return;
    const isBroken = isFaulty && fault === 'malformed';
    await out.send(isBroken ? written({ ...event, data: event.data.slice(0, -3) }, steering) : text);
  }
}

/** @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation */
function written({ name, data }: StreamEvent, { crlf }: Steering): string {
  const end = crlf ? '\r\n' : '\n';
  return `${name === undefined ? '' : `event: ${name}${end}`}data: ${data}${end}${end}`;
}
