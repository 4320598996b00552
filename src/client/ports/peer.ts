import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { endianness } from 'node:os';
import { HoopError } from '../../core/errors.js';
import { sockDiag, type Endpoint, type OwnerLookup } from './sock-diag.js';

/** May the program at the other end of a local connection use the port? `why` is a lower-case fragment. */
export type PeerVerdict = { readonly admitted: true } | { readonly admitted: false; readonly why: string };

export type PeerCheck = (socket: Socket) => Promise<PeerVerdict>;

/** A table read while other sockets come and go may miss a line; so many readings, then it counts as unknown. */
const READINGS = 3;

/**
 * The uid that owns the peer's end of a loopback connection, from the text of `/proc/net/tcp` and
 * `/proc/net/tcp6`; undefined when it can't be told.
 *
 * The kernel prints uid 0 and inode 0 for a socket that its process has closed already. Taken for
 * root's, it would let anybody in who sends and hangs up at once, so inode 0 is unknown.
 *
 * @see https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html
 */
export function findPeerUid(tables: string, peer: Endpoint, local: Endpoint): number | undefined {
  for (const family of [hexIpv4, hexMappedIpv4, hexIpv6] as const) {
    const from = family(peer.address);
    const to = family(local.address);
    if (from === undefined || to === undefined) continue;
    const at = tables.indexOf(` ${from}:${hexPort(peer.port)} ${to}:${hexPort(local.port)} `);
    if (at === -1) continue;
    const lineEnd = tables.indexOf('\n', at);
    // local, remote, state, queues, timer, retransmits, uid, timeout, inode
    const fields = tables
      .slice(at, lineEnd === -1 ? undefined : lineEnd)
      .trim()
      .split(/\s+/);
    const uid = fields[6];
    const inode = fields[8];
    if (uid === undefined || inode === undefined || !/^\d+$/.test(uid) || !/^[1-9]\d*$/.test(inode)) return undefined;
    return Number(uid);
  }
  return undefined;
}

/** Does this platform tell which user is at the other end of a local TCP connection? */
export function canTellPeers(platform: NodeJS.Platform = process.platform): boolean {
  return platform === 'linux' && process.getuid !== undefined;
}

/**
 * The check for this platform: admits connections of the same operating-system user, nobody else;
 * root's port is root's alone. What can't be told is refused.
 *
 * @throws HoopError not_in_version where the platform names no owner of a TCP connection
 */
export function peerCheck(
  platform: NodeJS.Platform = process.platform,
  ownUid: number | undefined = process.getuid?.(),
  readTables: () => Promise<string> = readProcTables,
  askKernel: () => Promise<OwnerLookup | undefined> = readTables === readProcTables ? sockDiag : nobodyToAsk,
): PeerCheck {
  if (platform !== 'linux' || ownUid === undefined) {
    throw new HoopError('not_in_version', `local TCP ports on ${platform} are not in this version`, {
      why: 'only Linux tells which user is at the other end of a local connection',
      suggestion: 'use --socket PATH: the file belongs to you alone',
    });
  }
  return async (socket) => {
    const peer = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
    const local = { address: socket.localAddress ?? '', port: socket.localPort ?? 0 };
    const kernel = await askKernel();
    // Where the kernel's answer names nobody, the tables have the last word: it may not know the question.
    for (let reading = kernel === undefined ? 0 : -1; reading < READINGS; reading += 1) {
      const uid = reading < 0 ? kernel?.(peer, local) : findPeerUid(await readTables(), peer, local);
      if (uid === undefined) continue;
      if (uid === ownUid) return { admitted: true };
      return { admitted: false, why: `the program at the other end runs as another user (uid ${String(uid)})` };
    }
    return { admitted: false, why: 'which user runs the program at the other end could not be told' };
  };
}

function nobodyToAsk(): Promise<undefined> {
  return Promise.resolve(undefined);
}

async function readProcTables(): Promise<string> {
  // Either may be missing (IPv6 turned off); none at all means nobody is known, so nobody gets in.
  const texts = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'latin1').catch(() => '')),
  );
  return texts.join('\n');
}

function hexPort(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}

/** The kernel prints each 32-bit word of an address in the machine's own byte order. */
function hexWord(bytes: readonly number[]): string {
  const ordered = endianness() === 'LE' ? bytes.toReversed() : bytes;
  return ordered.map((byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join('');
}

function hexIpv4(address: string): string | undefined {
  const parts = address
    .replace(/^::ffff:/i, '')
    .split('.')
    .map(Number);
  return parts.length === 4 && parts.every((part) => Number.isInteger(part) && part >= 0 && part <= 255)
    ? hexWord(parts)
    : undefined;
}

/** A peer with a dual-stack socket (the JVM's default) stands in the IPv6 table under `::ffff:a.b.c.d`. */
function hexMappedIpv4(address: string): string | undefined {
  const word = hexIpv4(address);
  return word === undefined ? undefined : `${'0'.repeat(16)}${hexWord([0, 0, 0xff, 0xff])}${word}`;
}

/** Ports listen on loopback only, so `::1` is the one IPv6 address a peer can have. */
function hexIpv6(address: string): string | undefined {
  return address === '::1' ? `${'0'.repeat(24)}${hexWord([0, 0, 0, 1])}` : undefined;
}
