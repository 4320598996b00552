import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Dialect, Header, HttpRefusal } from '../../../../protocols/http/dialect.js';

/** What a peer that does not close has to read a refusal. */
const LINGER_MS = 1_000;

/** Answers an upgrade on its bare socket: node:http has handed it over. */
export class UpgradeAnswer {
  /** Status that the client got; 0 before. */
  status = 0;

  constructor(
    private readonly socket: Duplex,
    private readonly dialect: Dialect,
    /** Empty where the upgrade did not get as far as a session. */
    private readonly session: string,
  ) {}

  /** Tells the client that the protocol is another from here on. */
  switchProtocols(headers: readonly Header[]): void {
    this.#head(101, headers);
  }

  /** Ends with a refusal in the dialect's words, where nothing was answered yet. */
  refuse(refusal: HttpRefusal, headers: readonly Header[] = []): void {
    const { socket } = this;
    if (this.status !== 0 || !socket.writable) return;
    const { contentType, body } = this.dialect.refusal(refusal);
    const all: Header[] = [
      ['content-type', contentType],
      ['content-length', String(Buffer.byteLength(body))],
      ['cache-control', 'no-store'],
      ['connection', 'close'],
      ...headers,
    ];
    // An upstream's 401 speaks of its own credentials.
    if (refusal.code === 'hoop_unauthorized') all.push(['www-authenticate', 'Bearer realm="hoop"']);
    this.#head(refusal.status, all);
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => {
      clearTimeout(timer);
    });
    socket.end(body);
    // Read to its end: a socket that is closed over unread bytes takes the refusal with it.
    socket.resume();
  }

  #head(status: number, headers: readonly Header[]): void {
    this.status = status;
    const own: Header[] = this.session === '' ? [] : [['x-hoop-session', this.session]];
    const lines = [...headers, ...own].map(([name, value]) => `${name}: ${value}\r\n`).join('');
    // Header values are bytes, a character each.
    this.socket.write(`HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? 'Unknown'}\r\n${lines}\r\n`, 'latin1');
  }
}
