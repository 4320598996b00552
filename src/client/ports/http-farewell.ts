import type { Socket } from 'node:net';

/** How long a refused local client may take to send its request and read the answer, in ms. */
const FAREWELL_TIMEOUT_MS = 2_000;

const STATUS = { 403: 'Forbidden', 503: 'Service Unavailable' } as const;

/**
 * Answers the request of a local HTTP client to which nothing was relayed; then ends the connection. The body
 * has the members that the SDKs of OpenAI and of Anthropic read, each its own.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-9.6
 */
export function refuseHttpClient(socket: Socket, status: keyof typeof STATUS, code: string, message: string): void {
  const body = JSON.stringify({ type: 'error', error: { message, type: code, code } });
  const head = [
    `HTTP/1.1 ${String(status)} ${STATUS[status]}`,
    'content-type: application/json',
    `content-length: ${String(Buffer.byteLength(body))}`,
    'connection: close',
  ];
  const deadline = setTimeout(() => socket.destroy(), FAREWELL_TIMEOUT_MS);
  socket.on('close', () => {
    clearTimeout(deadline);
  });
  // An answer that comes before its request is taken by pools for one that belongs to nothing.
  socket.once('data', () => socket.end(`${head.join('\r\n')}\r\n\r\n${body}`));
  socket.once('end', () => socket.end());
  // What is not read would turn the close into a reset, and the client would never see the answer.
  socket.resume();
}

/**
 * Cuts a client whose answer broke off. A plain end is how an answer without a stated length is complete
 * (RFC 9112 section 6.3), so it gets a reset where the kind of socket has one.
 */
export function cutHttpClient(socket: Socket): void {
  const cut = (): void => {
    if (socket.remoteAddress === undefined) socket.destroySoon();
    else socket.resetAndDestroy();
  };
  // What came before is still the client's.
  if (socket.writableLength === 0) cut();
  else socket.write('', cut);
}

/** Methods that change nothing (RFC 9110 section 9.2.1); TRACE is not served. */
const SAFE_REQUEST = /^(?:GET|HEAD|OPTIONS) /;
/** A body, or a change of protocol. */
const MORE_THAN_A_HEAD = /^(?:content-length|transfer-encoding|upgrade|expect)[ \t]*:/im;
const END_OF_HEAD = '\r\n\r\n';

/**
 * May what a client has sent, to which nothing was answered, be sent once more? A head that is not whole starts nothing;
 * a whole one may if its method is safe and nothing but the head was sent.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110.html#section-9.2.2
 */
export function isRepeatableRequest(sent: Uint8Array): boolean {
  const text = Buffer.from(sent).toString('latin1');
  const end = text.indexOf(END_OF_HEAD);
  if (end === -1) return true;
  return end + END_OF_HEAD.length === text.length && SAFE_REQUEST.test(text) && !MORE_THAN_A_HEAD.test(text);
}
