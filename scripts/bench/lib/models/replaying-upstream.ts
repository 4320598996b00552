import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { MessageReader } from './message-reader.js';

/** An answer of the model upstream, kept. */
interface Kept {
  readonly head: string;
  /** One for a whole answer, one for each event of a stream. */
  readonly parts: readonly Buffer[];
  readonly delayMs: number;
}

/**
 * Answers as the model upstream did the first time, for a fraction of its cost: what is measured must not wait for the
 * upstream. A stream's events come one by one, `delay` of the model's name apart.
 */
export class ReplayingUpstream {
  readonly #kept = new Map<string, Promise<Kept>>();
  readonly #server: Server;

  private constructor(private readonly model: string) {
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
  }

  /** @param model where the model upstream listens */
  static async start(model: string): Promise<ReplayingUpstream> {
    const upstream = new ReplayingUpstream(model);
    await new Promise<void>((resolve) => upstream.#server.listen(0, '127.0.0.1', 1024, resolve));
    return upstream;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  #serve(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    let head = '';
    let body: Buffer[] = [];
    const reader = new MessageReader({
      head: (text) => {
        head = text;
        body = [];
      },
      body: (part) => body.push(part),
      end: () => {
        const whole = Buffer.concat(body).toString();
        void this.#answerTo(head, whole).then((kept) => send(socket, kept));
      },
    });
    socket.on('data', (part) => reader.push(part));
  }

  #answerTo(head: string, body: string): Promise<Kept> {
    const found = this.#kept.get(body);
    if (found !== undefined) return found;
    const kept = fetchOnce(this.model, head, body);
    this.#kept.set(body, kept);
    return kept;
  }
}

async function fetchOnce(model: string, head: string, body: string): Promise<Kept> {
  const path = head.split(' ')[1] ?? '/';
  const key = /\r\nauthorization: *([^\r]+)/i.exec(head)?.[1] ?? '';
  // The delay is ours to keep, not the model upstream's.
  const [, delay = '0'] = /;delay=(\d+)/.exec(body) ?? [];
  const answer = await fetch(`${model}${path}`, {
    method: 'POST',
    headers: { authorization: key, 'content-type': 'application/json' },
    body: body.replace(/;delay=\d+/, ''),
  });
  const text = await answer.text();
  const type = answer.headers.get('content-type') ?? '';
  const start = `HTTP/1.1 ${String(answer.status)} OK\r\ncontent-type: ${type}\r\n`;
  if (!type.startsWith('text/event-stream')) {
    const length = `content-length: ${String(Buffer.byteLength(text))}\r\n\r\n`;
    return { head: start, parts: [Buffer.from(`${start}${length}${text}`)], delayMs: 0 };
  }
  const events = text.split(/(?<=\n\n)/).filter((event) => event !== '');
  const parts = events.map((event) => Buffer.from(`${Buffer.byteLength(event).toString(16)}\r\n${event}\r\n`));
  return { head: `${start}transfer-encoding: chunked\r\n\r\n`, parts, delayMs: Number(delay) };
}

function send(socket: Socket, { head, parts, delayMs }: Kept): void {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return void socket.write(first);
  socket.write(head);
  let at = 0;
  const next = (): void => {
    if (socket.destroyed) return;
    const part = parts[at];
    at += 1;
    if (part === undefined) return void socket.write('0\r\n\r\n');
    socket.write(part);
    if (delayMs === 0) next();
    else setTimeout(next, delayMs);
  };
  next();
}
