import { lstat, unlink } from 'node:fs/promises';
import { connect, createServer, isIPv4, type AddressInfo, type Server } from 'node:net';
import { HoopError, messageOf } from '../../core/errors.js';
import { portHolder } from './port-holder.js';
import { prepareSocketFolder } from './socket-folder.js';

/** Where local programs connect: a loopback port, or a socket file of this user alone. */
export type LocalAddress = { readonly host: string; readonly port: number } | { readonly socket: string };

/** The ports that connections had before: what `Profile` keeps. */
export interface PortMemory {
  portFor(connection: string): number | undefined;
  /** Of every connection, agent and profile. */
  rememberedPorts(): ReadonlySet<number>;
  rememberPort(connection: string, port: number): void;
}

/**
 * First port tried for a new connection. Below the ranges from which Linux (32768) and macOS (49152)
 * hand out ports of their own, so that a remembered port isn't taken by some outgoing connection.
 */
const FIRST_PORT = 15_432;
const LAST_PORT = 15_432 + 2_000;

/** A server that reads nothing of a connection until it is told to. */
export function createQuietServer(): Server {
  return createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
}

/** @throws HoopError usage for an address that other machines could reach */
export function requireLoopback(host: string): void {
  if (host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))) return;
  throw new HoopError('usage', '--host takes a loopback address: 127.0.0.1, ::1 or localhost', {
    why: 'a port open to other machines would lend them your access',
    suggestion: 'run hoop on the machine that needs the connection',
  });
}

/**
 * Listens on exactly this port; 0 lets the system choose.
 *
 * @throws HoopError port_taken when another program has it; never another port instead
 */
export async function listenOnPort(
  server: Server,
  host: string,
  port: number,
): Promise<LocalAddress & { port: number }> {
  const address = await listenIfFree(server, host, port);
  if (address !== undefined) return address;
  const holder = await portHolder(port);
  throw new HoopError('port_taken', `port ${String(port)} on ${host} is taken`, {
    why: `${holder ?? 'another program'} listens there`,
  });
}

/** @returns undefined where another program has the port: finding out which takes longer than trying the next one */
async function listenIfFree(
  server: Server,
  host: string,
  port: number,
): Promise<(LocalAddress & { port: number }) | undefined> {
  requireLoopback(host);
  try {
    await listening(server, () => server.listen({ host, port, exclusive: true }));
  } catch (error) {
    if (hasCode(error, 'EADDRINUSE')) return undefined;
    if (hasCode(error, 'EACCES'))
      throw new HoopError('port_taken', `port ${String(port)} on ${host} may not be used`, {
        why: 'ports below 1024 belong to root',
        suggestion: 'choose a higher one with --port',
        cause: error,
      });
    throw new HoopError('failed', `cannot listen on ${host}:${String(port)}`, { why: messageOf(error), cause: error });
  }
  const { address, port: bound } = server.address() as AddressInfo;
  return { host: address, port: bound };
}

/**
 * Listens on the connection's remembered port; the first time, on the first free one of a fixed range,
 * which is remembered from then on.
 *
 * @throws HoopError port_taken when the remembered port is held by another program
 */
export async function listenOnRememberedPort(
  server: Server,
  host: string,
  connection: string,
  ports: PortMemory,
): Promise<LocalAddress & { port: number }> {
  const remembered = ports.portFor(connection);
  if (remembered !== undefined) return listenOnPort(server, host, remembered);
  const others = ports.rememberedPorts();
  for (let port = FIRST_PORT; port <= LAST_PORT; port += 1) {
    if (others.has(port)) continue;
    const address = await listenIfFree(server, host, port);
    if (address === undefined) continue;
    ports.rememberPort(connection, port);
    return address;
  }
  throw new HoopError('port_taken', `no port from ${String(FIRST_PORT)} to ${String(LAST_PORT)} is free`);
}

/** `\\.\pipe\NAME`: https://learn.microsoft.com/en-us/windows/win32/ipc/pipe-names */
const PIPE = /^\\\\[.?]\\pipe\\[^\\]+$/;

/**
 * Listens on a socket file with mode 0600; a file left by a program that is gone is replaced. On Windows on a named pipe,
 * which nobody but this user, administrators and the system may write to.
 *
 * @throws HoopError port_taken when a program listens there, or something else has that name; usage for a folder that
 *   is not safe, and on Windows for what names no pipe
 */
export async function listenOnSocket(
  server: Server,
  path: string,
  platform: NodeJS.Platform = process.platform,
): Promise<{ readonly socket: string }> {
  if (platform === 'win32') return listenOnPipe(server, path);
  requireShort(path, platform);
  await prepareSocketFolder(path);
  await clearStaleSocket(path);
  // The mode must be right from the first moment: `chmod` afterwards would leave a gap.
  const umask = process.umask(0o177);
  let started: Promise<void>;
  try {
    started = listening(server, () => server.listen({ path }));
  } finally {
    process.umask(umask);
  }
  await started.catch((error: unknown) => {
    throw new HoopError('failed', 'cannot listen on the socket file', {
      why: messageOf(error),
      suggestion: 'name another path in a folder of yours',
      cause: error,
    });
  });
  return { socket: path };
}

/**
 * Of a longer path the system would take the first part alone, without a word: `sun_path` of
 * https://man7.org/linux/man-pages/man7/unix.7.html, 104 bytes on macOS, the last of them zero.
 */
function requireShort(path: string, platform: NodeJS.Platform): void {
  const longest = platform === 'linux' ? 107 : 103;
  const length = Buffer.byteLength(path);
  if (length <= longest) return;
  throw new HoopError('usage', 'the path of the socket file is too long', {
    why: `it has ${String(length)} bytes, and the system takes ${String(longest)}`,
    suggestion: 'name a shorter one with --socket, such as /tmp/NAME/pg.sock',
  });
}

async function listenOnPipe(server: Server, path: string): Promise<{ readonly socket: string }> {
  if (!PIPE.test(path))
    throw new HoopError('usage', '--socket names a pipe on Windows', { suggestion: 'write it \\\\.\\pipe\\NAME' });
  await listening(server, () => server.listen({ path })).catch((error: unknown) => {
    throw new HoopError('port_taken', 'the pipe can not be opened', {
      why: messageOf(error),
      suggestion: 'end the program that has it, or name another with --socket',
      cause: error,
    });
  });
  return { socket: path };
}

async function clearStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket() || found.uid !== process.getuid?.()) {
    throw new HoopError('port_taken', 'the socket path is taken', {
      why: 'there is a file of that name that is no socket of yours',
      suggestion: 'name another path with --socket',
    });
  }
  if (await answers(path)) {
    throw new HoopError('port_taken', 'the socket path is taken', {
      why: 'another program listens there',
      suggestion: 'end it, or name another path with --socket',
    });
  }
  await unlink(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error) => {
      resolve(!hasCode(error, 'ECONNREFUSED'));
    });
  });
}

function listening(server: Server, start: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const onListening = (): void => {
      server.off('error', onError);
      resolve();
    };
    // Neither stays: the same server may be tried on many ports.
    const onError = (error: Error): void => {
      server.off('listening', onListening);
      reject(error);
    };
    server.once('error', onError);
    server.once('listening', onListening);
    start();
  });
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
