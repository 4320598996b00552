import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createQuietServer, listenOnPort } from '../../../src/client/ports/local-listener.js';
import { findPeerUid, peerCheck } from '../../../src/client/ports/peer.js';
import { sockDiag } from '../../../src/client/ports/sock-diag.js';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const line = (from: string, to: string, uid: number, inode: number): string =>
  `   0: ${from} ${to} 01 00000000:00000000 00:00000000 00000000 ${String(uid).padStart(5)}        0 ${String(inode)} 1 0000000000000000 20 4 30 10 -1\n`;
const peer = { address: '127.0.0.1', port: 0xc001 };
const local = { address: '127.0.0.1', port: 0x3c48 };
const FROM = '0100007F:C001';
const TO = '0100007F:3C48';

describe('findPeerUid', () => {
  it('reads the uid of the line whose local end is the peer, not of our own end', () => {
    const tables = HEAD + line(TO, FROM, 1000, 11) + line(FROM, TO, 1001, 12);
    expect(findPeerUid(tables, peer, local)).toBe(1001);
  });

  it('finds a dual-stack peer in the IPv6 table', () => {
    const mapped = '0000000000000000FFFF00000100007F';
    expect(findPeerUid(HEAD + line(`${mapped}:C001`, `${mapped}:3C48`, 7, 12), peer, local)).toBe(7);
  });

  it('finds a peer on ::1', () => {
    const loopback = '00000000000000000000000001000000';
    const tables = HEAD + line(`${loopback}:C001`, `${loopback}:3C48`, 8, 12);
    expect(findPeerUid(tables, { ...peer, address: '::1' }, { ...local, address: '::1' })).toBe(8);
  });

  it('does not believe uid 0 of a socket with inode 0, which its process has closed', () => {
    expect(findPeerUid(HEAD + line(FROM, TO, 0, 0), peer, local)).toBeUndefined();
  });

  it('knows nobody when no line fits, or the line is cut short', () => {
    expect(findPeerUid(HEAD + line(FROM, '0100007F:3C49', 5, 12), peer, local)).toBeUndefined();
    expect(findPeerUid(`   0: ${FROM} ${TO} 01 0000`, peer, local)).toBeUndefined();
    expect(findPeerUid('', peer, local)).toBeUndefined();
  });
});

describe('peerCheck', () => {
  const socket = {
    remoteAddress: '127.0.0.1',
    remotePort: 0xc001,
    localAddress: '127.0.0.1',
    localPort: 0x3c48,
  } as Socket;

  it('refuses a peer that stands in no table after 3 readings', async () => {
    let readings = 0;
    const check = peerCheck('linux', 1000, () => {
      readings += 1;
      return Promise.resolve(HEAD);
    });
    expect(await check(socket)).toMatchObject({ admitted: false });
    expect(readings).toBe(3);
  });

  it('admits a peer that a later reading shows', async () => {
    const texts = [HEAD, HEAD + line(FROM, TO, 1000, 4)];
    expect(await peerCheck('linux', 1000, () => Promise.resolve(texts.shift() ?? ''))(socket)).toEqual({
      admitted: true,
    });
  });

  it('refuses root on another user’s port, and other users on root’s', async () => {
    expect(await peerCheck('linux', 1000, () => Promise.resolve(HEAD + line(FROM, TO, 0, 4)))(socket)).toMatchObject({
      admitted: false,
    });
    expect(await peerCheck('linux', 0, () => Promise.resolve(HEAD + line(FROM, TO, 1000, 4)))(socket)).toMatchObject({
      admitted: false,
    });
  });

  it('says "not in this version" on a platform that names no owner', () => {
    expect(() => peerCheck('darwin', 501)).toThrow(expect.objectContaining({ code: 'not_in_version' }) as Error);
  });
});

const onLinux = process.platform === 'linux';
const asRoot = onLinux && process.getuid?.() === 0;

const tables = async (): Promise<string> =>
  (await readFile('/proc/net/tcp', 'latin1')) + (await readFile('/proc/net/tcp6', 'latin1').catch(() => ''));

describe.runIf(onLinux).each([
  ['asking the kernel', () => peerCheck('linux', process.getuid?.(), () => Promise.resolve(''), sockDiag)],
  ['reading /proc', () => peerCheck('linux', process.getuid?.(), tables)],
  ['as a port does it', () => peerCheck()],
])('peerCheck on real sockets, %s', (_, check) => {
  const server = createQuietServer();
  afterEach(() => {
    server.removeAllListeners('connection');
    server.close();
  });

  async function listen(host = '127.0.0.1'): Promise<AddressInfo> {
    await listenOnPort(server, host, 0);
    return server.address() as AddressInfo;
  }

  it('admits this process', async () => {
    const { port } = await listen();
    const client = connect({ host: '127.0.0.1', port });
    const [accepted] = (await once(server, 'connection')) as [Socket];
    expect(await check()(accepted)).toEqual({ admitted: true });
    client.destroy();
    accepted.destroy();
  });

  it('admits this process on ::1', async () => {
    const { port } = await listen('::1');
    const client = connect({ host: '::1', port });
    const [accepted] = (await once(server, 'connection')) as [Socket];
    expect(await check()(accepted)).toEqual({ admitted: true });
    client.destroy();
    accepted.destroy();
  });

  it('tells 60 connections at once apart from one that a process of its own closed', async () => {
    const { port } = await listen();
    const accepted: Socket[] = [];
    server.on('connection', (socket) => accepted.push(socket));
    const clients = Array.from({ length: 60 }, () => connect({ host: '127.0.0.1', port }));
    await Promise.all(clients.map((client) => once(client, 'connect')));
    await expect.poll(() => accepted.length).toBe(60);
    const closedPort = clients[7]?.localPort;
    clients[7]?.destroy();
    await once(clients[7] as Socket, 'close');
    const one = check();
    const verdicts = await Promise.all(
      accepted.map(async (socket) => [socket.remotePort, (await one(socket)).admitted]),
    );
    expect(verdicts.filter(([, admitted]) => admitted !== true)).toEqual([[closedPort, false]]);
    for (const socket of [...clients, ...accepted]) socket.destroy();
  });

  it('refuses a peer that has hung up already', async () => {
    const { port } = await listen();
    const client = connect({ host: '127.0.0.1', port });
    const [accepted] = (await once(server, 'connection')) as [Socket];
    client.destroy();
    await once(client, 'close');
    expect(await check()(accepted)).toMatchObject({ admitted: false });
    accepted.destroy();
  });

  it.runIf(asRoot)('refuses a process of the user nobody and names its uid (needs root)', async () => {
    const { port } = await listen();
    const uid = Number(execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' }));
    const script = `require('node:net').connect({ host: '127.0.0.1', port: ${String(port)} })`;
    const stranger = spawn(process.execPath, ['-e', script], { uid, gid: uid, cwd: '/', stdio: 'ignore' });
    const [accepted] = (await once(server, 'connection')) as [Socket];
    const verdict = await check()(accepted);
    stranger.kill();
    accepted.destroy();
    expect(verdict).toEqual({
      admitted: false,
      why: `the program at the other end runs as another user (uid ${String(uid)})`,
    });
  });
});
