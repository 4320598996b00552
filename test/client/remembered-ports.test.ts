import { mkdtempSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createQuietServer, listenOnPort, listenOnRememberedPort, listenOnSocket, requireLoopback } from '../../src/client/local-listener.js';
import { RememberedPorts } from '../../src/client/remembered-ports.js';

const owner = { profile: 'default', agentUrl: 'http://127.0.0.1:8443', connection: 'postgres' };
const servers: Server[] = [];

function server(): Server {
  const made = createQuietServer();
  made.on('connection', (socket) => socket.destroy());
  servers.push(made);
  return made;
}

function close(target: Server): Promise<void> {
  return new Promise((resolve) => target.close(() => { resolve(); }));
}

afterEach(async () => {
  await Promise.all(servers.splice(0).filter((each) => each.listening).map(close));
});

function folder(): string {
  return join(mkdtempSync(join(tmpdir(), 'hoop-ports-')), 'ports');
}

describe('listenOnRememberedPort', () => {
  it('gives the same connection the same port the second time', async () => {
    const ports = new RememberedPorts(folder());
    const first = server();
    const { port } = await listenOnRememberedPort(first, '127.0.0.1', owner, ports);
    await close(first);
    expect((await listenOnRememberedPort(server(), '127.0.0.1', owner, ports)).port).toBe(port);
  });

  it('fails with port_taken when the remembered port is held, and takes no other', async () => {
    const ports = new RememberedPorts(folder());
    const holder = createServer();
    servers.push(holder);
    const { port } = await listenOnPort(holder, '127.0.0.1', 0);
    await ports.remember(owner, port);
    await expect(listenOnRememberedPort(server(), '127.0.0.1', owner, ports)).rejects.toMatchObject({ code: 'port_taken' });
    expect(await ports.portOf(owner)).toBe(port);
  });

  it('gives another connection, agent or profile another port, also while the first is closed', async () => {
    const ports = new RememberedPorts(folder());
    const taken = new Set<number>();
    for (const other of [owner, { ...owner, connection: 'b' }, { ...owner, agentUrl: 'http://127.0.0.1:1' }, { ...owner, profile: 'work' }]) {
      const listener = server();
      taken.add((await listenOnRememberedPort(listener, '127.0.0.1', other, ports)).port);
      await close(listener);
    }
    expect(taken.size).toBe(4);
  });

  it('keeps its files from other users and treats a damaged one as none', async () => {
    const path = folder();
    const ports = new RememberedPorts(path);
    await ports.remember(owner, 15_555);
    const file = join(path, readdirSync(path)[0] as string);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    writeFileSync(file, '{"port": "99999"}');
    expect(await ports.portOf(owner)).toBeUndefined();
  });
});

describe('requireLoopback', () => {
  it.each(['127.0.0.1', '127.8.0.1', '::1', 'localhost'])('accepts %s', (host) => {
    expect(() => { requireLoopback(host); }).not.toThrow();
  });

  it.each(['0.0.0.0', '::', '10.0.0.1', '', '127.evil.example', 'localhost.example.com'])('refuses %j', (host) => {
    expect(() => { requireLoopback(host); }).toThrow('loopback');
  });
});

describe('listenOnSocket', () => {
  it('makes the file 0600 whatever the umask, and puts the umask back', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'hoop-sock-')), '.s.PGSQL.5432');
    const before = process.umask(0o000);
    try {
      await listenOnSocket(server(), path);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(process.umask()).toBe(0o000);
    } finally {
      process.umask(before);
    }
  });

  it('fails with port_taken while a program listens there', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'hoop-sock-')), 's');
    await listenOnSocket(server(), path);
    await expect(listenOnSocket(server(), path)).rejects.toMatchObject({ code: 'port_taken' });
  });

  it('never removes a file that is no socket', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'hoop-sock-')), 'precious');
    writeFileSync(path, 'data');
    await expect(listenOnSocket(server(), path)).rejects.toMatchObject({ code: 'port_taken' });
    expect(statSync(path).size).toBe(4);
  });
});
