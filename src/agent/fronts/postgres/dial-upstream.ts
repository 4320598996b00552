import { readFile } from 'node:fs/promises';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { HoopError, messageOf } from '../../../core/errors.js';
import type { PostgresConnection } from '../../../core/resources.js';
import { sslRequest } from '../../../protocols/postgres/wire/messages.js';

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Opens a TCP or TLS connection to the database server of a connection.
 *
 * @throws HoopError upstream_unreachable, saying what failed but never a credential
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL
 */
export async function dialUpstream(connection: PostgresConnection): Promise<Socket> {
  const plain = await open(connection);
  if (connection.tls.mode === 'disable') return plain;
  try {
    return await upgrade(plain, connection);
  } catch (error) {
    plain.destroy();
    if (error instanceof HoopError) throw error;
    throw new HoopError('upstream_unreachable', `TLS with the database server of ${connection.name} failed`, {
      why: tlsReason(error),
      cause: error,
    });
  }
}

function open(connection: PostgresConnection): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({
      host: connection.host,
      port: connection.port,
      noDelay: true,
      keepAlive: true,
      allowHalfOpen: true,
    });
    // Stays for good: between two steps of the opening nobody else may be listening, and an error nobody hears ends the agent.
    socket.on('error', () => undefined);
    const fail = (why: string): void => {
      socket.destroy();
      reject(
        new HoopError('upstream_unreachable', `the database server of ${connection.name} is not reachable`, { why }),
      );
    };
    const timer = setTimeout(() => {
      fail(`no answer within ${String(CONNECT_TIMEOUT_MS / 1000)} s`);
    }, CONNECT_TIMEOUT_MS);
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(socket);
    });
    socket.once('error', (error) => {
      clearTimeout(timer);
      fail(reasonOf(error));
    });
  });
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name can not be looked up now',
  EHOSTUNREACH: 'no route to it',
  ENETUNREACH: 'no route to it',
  ETIMEDOUT: 'no answer',
};

/** The system's own words hold the address, which callers need not know. */
function reasonOf(error: NodeJS.ErrnoException): string {
  const code = error.code ?? '';
  return REASONS[code] ?? (code === '' ? 'unknown reason' : code);
}

/** OpenSSL's code says what is wrong; Node's sentences go on to quote names and addresses. */
function tlsReason(error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'its certificate is for another host';
  return typeof code === 'string' ? (REASONS[code] ?? code) : messageOf(error);
}

async function upgrade(plain: Socket, connection: PostgresConnection): Promise<Socket> {
  const { mode, ca } = connection.tls;
  const trusted = ca === undefined ? undefined : await readFile(ca, 'utf8');
  const answer = await firstBytes(plain, sslRequest());
  if (answer.length !== 1) {
    // More than one byte here was sent before TLS: an attacker's, to be taken as if encrypted (CVE-2021-23222).
    throw new HoopError(
      'upstream_unreachable',
      'the database server answered the request for TLS with more than one byte',
    );
  }
  if (answer[0] !== 0x53) {
    throw new HoopError('upstream_unreachable', `the database server of ${connection.name} offers no TLS`, {
      suggestion: 'enable TLS on the server, or set tls.mode of the connection to disable',
    });
  }
  const options: ConnectionOptions = { socket: plain, rejectUnauthorized: mode !== 'require', minVersion: 'TLSv1.2' };
  if (isIP(connection.host) === 0) options.servername = connection.host;
  if (trusted !== undefined) options.ca = trusted;
  if (mode === 'verify-ca' || mode === 'require') options.checkServerIdentity = anyName;
  else options.host = connection.host;
  return new Promise((resolve, reject) => {
    const secure = connectTls(options);
    const timer = setTimeout(() => secure.destroy(new Error('no TLS within 10 s')), CONNECT_TIMEOUT_MS);
    secure.once('secureConnect', () => {
      clearTimeout(timer);
      resolve(secure);
    });
    secure.on('error', (error: Error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

/** Sends the request and gives what comes first; the socket is paused afterwards. */
function firstBytes(socket: Socket, request: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      finish();
      reject(new Error(`no answer to the request for TLS within ${String(CONNECT_TIMEOUT_MS / 1000)} s`));
    }, CONNECT_TIMEOUT_MS);
    const onData = (bytes: Buffer): void => {
      finish();
      socket.pause();
      resolve(bytes);
    };
    const onEnd = (): void => {
      finish();
      reject(new Error('the server hung up'));
    };
    const finish = (): void => {
      clearTimeout(timer);
      socket.removeListener('data', onData);
      socket.removeListener('end', onEnd);
      socket.removeListener('error', onEnd);
    };
    socket.on('data', onData);
    socket.once('end', onEnd);
    socket.once('error', onEnd);
    socket.write(request);
  });
}

/** The certificate's name is not looked at. */
function anyName(): undefined {
  return undefined;
}
