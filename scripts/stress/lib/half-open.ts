import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** The first bytes of a ClientHello, which announce more (RFC 8446 section 5.1). */
const HALF_HELLO = Buffer.from('160301020001000', 'hex');

/** What a peer does before it falls silent. */
export const HALF_OPEN_KINDS = ['silent', 'half-tls', 'no-request', 'half-head', 'half-upgrade', 'no-frames'] as const;
export type HalfOpenKind = (typeof HALF_OPEN_KINDS)[number];

export interface HalfOpenTarget {
  /** `https://127.0.0.1:8443` */
  readonly agentUrl: string;
  /** PEM. */
  readonly ca: Buffer;
  /** Lets `no-frames` into a tunnel of connection `postgres`, where it then does nothing, not even answer a ping. */
  readonly token: string;
}

/** One peer that is there by now, and says no more. */
export interface HalfOpenPeer {
  readonly kind: HalfOpenKind;
  /** Resolves once the agent has let go of it. */
  readonly gone: Promise<void>;
  close(): void;
}

/** Connects and falls silent; resolves once it has done all that it will do. */
export async function openHalfOpen(kind: HalfOpenKind, target: HalfOpenTarget): Promise<HalfOpenPeer> {
  const { hostname, port } = new URL(target.agentUrl);
  const where = { host: hostname, port: Number(port) };
  const raw = kind === 'silent' || kind === 'half-tls';
  const socket: Socket = raw ? connect(where) : connectTls({ ...where, ca: target.ca });
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined).on('end', () => socket.end());
  const open = new Promise<void>((resolve) => socket.once(raw ? 'connect' : 'secureConnect', () => resolve()));
  await Promise.race([open, gone]);
  const written = halfOf(kind, target);
  if (written.length > 0) socket.write(written);
  if (kind === 'no-frames') await Promise.race([new Promise((resolve) => socket.once('data', resolve)), gone]);
  socket.resume();
  return { kind, gone, close: () => socket.destroy() };
}

function halfOf(kind: HalfOpenKind, { token }: HalfOpenTarget): string | Buffer {
  const upgrade = [
    'GET /v1/tunnel/postgres HTTP/1.1',
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`,
    '',
  ].join('\r\n');
  switch (kind) {
    case 'silent':
    case 'no-request':
      return '';
    case 'half-tls':
      return HALF_HELLO;
    case 'half-head':
      return 'GET /healthz HTTP/1.1\r\nHost: 127.0';
    case 'half-upgrade':
      return upgrade;
    case 'no-frames':
      return `${upgrade}Authorization: Bearer ${token}\r\n\r\n`;
  }
}
