import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** One HTTP message as its bytes say, whoever wrote them. */
export interface RawMessage {
  /** The request line, or what follows the version in a status line. */
  readonly line: string;
  /** `name: value`, the name in lower case, in order. */
  readonly headers: readonly string[];
  /** Without the framing of chunks. */
  readonly body: Buffer;
}

/** A server that reads requests by the byte and answers with bytes, so that what no library would send is sent too. */
export interface RawUpstream {
  readonly port: number;
  readonly seen: RawMessage[];
  /** What each request is answered with. */
  answer: Buffer;
  /** Closes the socket after an answer. */
  closes: boolean;
  close(): void;
}

export async function startRawUpstream(): Promise<RawUpstream> {
  const sockets = new Set<Socket>();
  const seen: RawMessage[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    let got = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (part: Buffer) => {
      got = Buffer.concat([got, part]);
      for (let read = readMessage(got, false); read !== undefined; read = readMessage(got, false)) {
        seen.push(read.message);
        got = got.subarray(read.length);
        if (upstream.closes) socket.end(upstream.answer);
        else socket.write(upstream.answer);
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const upstream: RawUpstream = {
    port: (server.address() as AddressInfo).port,
    seen,
    answer: Buffer.alloc(0),
    closes: false,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
  return upstream;
}

/** Sends bytes and reads answers until so many came, or the server closed. */
export async function rawExchange(port: number, request: Buffer, answers = 1): Promise<readonly RawMessage[]> {
  const socket = connect(port, '127.0.0.1');
  let got = Buffer.alloc(0);
  const isHead = request.subarray(0, 5).toString() === 'HEAD ';
  await new Promise<void>((resolve) => {
    socket.on('error', () => undefined);
    socket.on('data', (part: Buffer) => {
      got = Buffer.concat([got, part]);
      if (messagesIn(got, isHead, false).length >= answers) resolve();
    });
    socket.once('close', () => {
      resolve();
    });
    socket.write(request);
  });
  socket.destroy();
  return messagesIn(got, isHead, true);
}

function messagesIn(bytes: Buffer, isHead: boolean, ended: boolean): RawMessage[] {
  const messages: RawMessage[] = [];
  for (let rest = bytes; rest.length > 0;) {
    const read = readMessage(rest, ended, isHead);
    if (read === undefined) break;
    rest = rest.subarray(read.length);
    // Interim answers are not what was asked for.
    if (!/^1\d\d /.test(read.message.line)) messages.push(read.message);
  }
  return messages;
}

/** @param ended nothing follows: a body without a length is all that came */
function readMessage(
  bytes: Buffer,
  ended: boolean,
  isHead = false,
): { message: RawMessage; length: number } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd === -1) return undefined;
  const [first = '', ...lines] = bytes.subarray(0, headEnd).toString('latin1').split('\r\n');
  const isAnswer = first.startsWith('HTTP/');
  const line = isAnswer ? first.slice(9) : first;
  const headers = lines.map((text) => text.replace(/^([^:]*):[ \t]*/, (_, name: string) => `${name.toLowerCase()}: `));
  const valueOf = (name: string): string | undefined =>
    headers.find((text) => text.startsWith(`${name}: `))?.slice(name.length + 2);
  const from = headEnd + 4;
  const made = (body: Buffer, length: number) => ({ message: { line, headers, body }, length });
  if (isHead || /^(?:1\d\d|204|304) /.test(line)) return made(Buffer.alloc(0), from);
  if (valueOf('transfer-encoding') === 'chunked') {
    const read = unchunked(bytes, from);
    return read === undefined ? undefined : made(read.body, read.end);
  }
  const length = valueOf('content-length');
  if (length === undefined && isAnswer) return ended ? made(bytes.subarray(from), bytes.length) : undefined;
  const end = from + Number(length ?? 0);
  return bytes.length < end ? undefined : made(bytes.subarray(from, end), end);
}

function unchunked(bytes: Buffer, from: number): { body: Buffer; end: number } | undefined {
  const parts: Buffer[] = [];
  for (let at = from; ;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const size = parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16);
    const start = lineEnd + 2;
    if (size === 0) {
      const end = bytes.subarray(start, start + 2).toString() === '\r\n' ? start : bytes.indexOf('\r\n\r\n', start) + 2;
      return end < start || bytes.length < end + 2 ? undefined : { body: Buffer.concat(parts), end: end + 2 };
    }
    if (bytes.length < start + size + 2) return undefined;
    parts.push(bytes.subarray(start, start + size));
    at = start + size + 2;
  }
}
