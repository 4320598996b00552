import { connect, type Socket } from 'node:net';
import { queryMessage, startupPacket } from '../../../src/protocols/postgres/wire/messages.js';

const ROW = 'D'.charCodeAt(0);
const ERROR = 'E'.charCodeAt(0);
const COMPLETE = 'C'.charCodeAt(0);
const READY = 'Z'.charCodeAt(0);

/** A client that counts what it gets and keeps none of it; for ports that ask for no password. */
export class RawClient {
  rows = 0;
  bytes = 0;
  /** SQLSTATE of the last error. */
  error: string | undefined;
  ready = false;
  ended = false;
  tag = '';
  #held: Buffer = Buffer.alloc(0);
  /** Bytes of the present row that have not come yet. */
  #rest = 0;
  readonly #waiting = new Set<() => void>();

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length;
      this.#read(chunk);
      for (const look of this.#waiting) look();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.ended = true;
      for (const look of this.#waiting) look();
    });
  }

  static async open(port: number, database: string): Promise<RawClient> {
    const client = new RawClient(connect({ host: '127.0.0.1', port }));
    client.socket.write(
      startupPacket([
        ['user', 'stress'],
        ['database', database],
      ]),
    );
    await client.until(() => client.ready);
    return client;
  }

  query(text: string): void {
    this.rows = 0;
    this.error = undefined;
    this.ready = false;
    this.socket.write(queryMessage(text));
  }

  /** Waits until it holds; @throws when the connection ends before, or 60 s pass without a byte. */
  async until(holds: () => boolean): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      let seen = -1;
      const timer = setInterval(() => {
        if (seen === this.bytes) settle(new Error(`nothing came for 60 s, after ${String(this.bytes)} B`));
        seen = this.bytes;
      }, 60_000);
      const settle = (error?: Error): void => {
        clearInterval(timer);
        this.#waiting.delete(look);
        if (error === undefined) resolve();
        else reject(error);
      };
      const look = (): void => {
        if (holds()) settle();
        else if (this.ended) settle(new Error(`the connection ended, ${this.error ?? 'without an error'}`));
      };
      this.#waiting.add(look);
      look();
    });
  }

  close(): void {
    this.socket.destroy();
  }

  #read(chunk: Buffer): void {
    let bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    let at = Math.min(this.#rest, bytes.length);
    this.#rest -= at;
    while (bytes.length - at >= 5) {
      const type = bytes[at];
      const end = at + 1 + bytes.readUInt32BE(at + 1);
      if (type === ROW) {
        this.rows += 1;
        this.#rest = Math.max(0, end - bytes.length);
        at = Math.min(end, bytes.length);
        continue;
      }
      if (end > bytes.length) break;
      this.#message(type ?? 0, bytes.toString('latin1', at + 5, end));
      at = end;
    }
    bytes = bytes.subarray(at);
    this.#held = Buffer.from(bytes);
  }

  #message(type: number, body: string): void {
    if (type === READY) this.ready = true;
    if (type === COMPLETE) this.tag = body.slice(0, -1);
    if (type === ERROR)
      this.error = body
        .split('\0')
        .find((field) => field.startsWith('C'))
        ?.slice(1);
  }
}
