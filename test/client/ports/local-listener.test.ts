import { readdirSync, statSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createQuietServer,
  listenOnPort,
  listenOnRememberedPort,
  listenOnSocket,
  requireLoopback,
} from '../../../src/client/ports/local-listener.js';
import { openProfile, type Profile } from '../../../src/client/login/profile.js';
import { makeFolder } from '../../support/folders.js';

const servers: Server[] = [];

function server(): Server {
  const made = createQuietServer();
  made.on('connection', (socket) => socket.destroy());
  servers.push(made);
  return made;
}

function close(target: Server): Promise<void> {
  return new Promise((resolve) =>
    target.close(() => {
      resolve();
    }),
  );
}

afterEach(async () => {
  await Promise.all(
    servers
      .splice(0)
      .filter((each) => each.listening)
      .map(close),
  );
});

function profiles(): (name: string, agent: string) => Profile {
  const env = { HOOP_CONFIG_DIR: join(makeFolder('ports'), 'config') };
  return (name, agent) => openProfile({ env, name, agent });
}

const AGENT = 'http://127.0.0.1:8443';

describe('listenOnRememberedPort', () => {
  it('gives the same connection the same port the second time', async () => {
    const profile = profiles();
    const first = server();
    const { port } = await listenOnRememberedPort(first, '127.0.0.1', 'postgres', profile('default', AGENT));
    await close(first);
    expect((await listenOnRememberedPort(server(), '127.0.0.1', 'postgres', profile('default', AGENT))).port).toBe(
      port,
    );
  });

  it('leaves nothing behind on the server of the ports that were taken', async () => {
    const ports = { portFor: () => undefined, rememberedPorts: () => new Set<number>(), rememberPort: () => undefined };
    const holder = server();
    await listenOnRememberedPort(holder, '127.0.0.1', 'first', ports);
    const made = server();
    await listenOnRememberedPort(made, '127.0.0.1', 'second', ports);
    expect([made.listenerCount('listening'), made.listenerCount('error')]).toEqual([0, 0]);
  });

  it('fails with port_taken when the remembered port is held, and takes no other', async () => {
    const profile = profiles()('default', AGENT);
    const holder = server();
    const { port } = await listenOnPort(holder, '127.0.0.1', 0);
    profile.rememberPort('postgres', port);
    await expect(listenOnRememberedPort(server(), '127.0.0.1', 'postgres', profile)).rejects.toMatchObject({
      code: 'port_taken',
    });
    expect(profile.portFor('postgres')).toBe(port);
  });

  it('passes over ports that are taken, and leaves nothing of those tries on the server', async () => {
    const held = server();
    const { port } = await listenOnPort(held, '127.0.0.1', 0);
    const made = server();
    for (let tries = 0; tries < 12; tries += 1)
      await expect(listenOnPort(made, '127.0.0.1', port)).rejects.toMatchObject({ code: 'port_taken' });
    await listenOnPort(made, '127.0.0.1', 0);
    expect([made.listenerCount('listening'), made.listenerCount('error')]).toEqual([0, 0]);
  });

  it('gives another connection, agent or profile another port, also while the first is closed', async () => {
    const profile = profiles();
    const taken = new Set<number>();
    for (const [name, agent, connection] of [
      ['default', AGENT, 'postgres'],
      ['default', AGENT, 'b'],
      ['default', 'http://127.0.0.1:1', 'postgres'],
      ['work', AGENT, 'postgres'],
    ] as const) {
      const listener = server();
      taken.add((await listenOnRememberedPort(listener, '127.0.0.1', connection, profile(name, agent))).port);
      await close(listener);
    }
    expect(taken.size).toBe(4);
  });
});

describe('requireLoopback', () => {
  it.each(['127.0.0.1', '127.8.0.1', '::1', 'localhost'])('accepts %s', (host) => {
    expect(() => {
      requireLoopback(host);
    }).not.toThrow();
  });

  it.each(['0.0.0.0', '::', '10.0.0.1', '', '127.evil.example', 'localhost.example.com'])('refuses %j', (host) => {
    expect(() => {
      requireLoopback(host);
    }).toThrow('loopback');
  });
});

describe('listenOnSocket', () => {
  it.each(['/tmp/hoop', 'hoop', '\\\\server\\pipe\\hoop', '\\\\.\\pipe\\'])(
    'on Windows takes a pipe, and not %s',
    async (path) => {
      await expect(listenOnSocket(server(), path, 'win32')).rejects.toMatchObject({
        code: 'usage',
        suggestion: String.raw`write it \\.\pipe\NAME`,
      });
    },
  );

  it('refuses a path of which the system would take the first part alone', async () => {
    const folder = makeFolder('sock');
    const path = join(folder, 'é'.repeat(54 - folder.length / 2));
    await expect(listenOnSocket(server(), `${path}long`)).rejects.toMatchObject({
      code: 'usage',
      message: 'the path of the socket file is too long',
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('makes the file 0600 whatever the umask, and puts the umask back', async () => {
    const path = join(makeFolder('sock'), '.s.PGSQL.5432');
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
    const path = join(makeFolder('sock'), 's');
    await listenOnSocket(server(), path);
    await expect(listenOnSocket(server(), path)).rejects.toMatchObject({ code: 'port_taken' });
  });

  it('never removes a file that is no socket', async () => {
    const path = join(makeFolder('sock'), 'precious');
    writeFileSync(path, 'data');
    await expect(listenOnSocket(server(), path)).rejects.toMatchObject({ code: 'port_taken' });
    expect(statSync(path).size).toBe(4);
  });
});
