import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openForward, type Forward, type ForwardOptions } from '../../../src/client/ports/forward.js';
import { listenOnPort, listenOnSocket } from '../../../src/client/ports/local-listener.js';
import { type PeerCheck, peerCheck } from '../../../src/client/ports/peer.js';
import { type ConnectionEvent, TunnelKeeper } from '../../../src/client/tunnels/tunnel-keeper.js';
import type { TunnelStream } from '../../../src/tunnel/stream.js';
import { FakeTime } from '../fake-time.js';
import { TunnelEndpoint } from '../tunnel-pair.js';
import { makeFolder } from '../../support/folders.js';

const AUTHENTICATION_OK = Uint8Array.of(0x52, 0, 0, 0, 8, 0, 0, 0, 0);

let endpoint: TunnelEndpoint;
let time: FakeTime;
let events: ConnectionEvent[];
const forwards: Forward[] = [];
const clients: Socket[] = [];

beforeEach(async () => {
  endpoint = await TunnelEndpoint.open();
  time = new FakeTime();
  events = [];
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await Promise.all(forwards.splice(0).map((forward) => forward.close()));
  await endpoint.close();
});

async function open(options: Partial<ForwardOptions> = {}): Promise<Forward & { port: number }> {
  const onEvent = (event: ConnectionEvent): void => void events.push(event);
  const keeper = new TunnelKeeper({ connection: 'postgres', dial: () => endpoint.dial(), onEvent, time });
  await keeper.start();
  const admitAll: PeerCheck = () => Promise.resolve({ admitted: true });
  const forward = await openForward({
    connection: 'postgres',
    type: 'postgres',
    listen: (server) => listenOnPort(server, '127.0.0.1', 0),
    checkPeer: admitAll,
    keeper,
    onEvent,
    ...options,
  });
  forwards.push(forward);
  return { ...forward, port: 'port' in forward.address ? forward.address.port : 0 };
}

function dialLocal(port: number): Socket {
  const client = connect({ host: '127.0.0.1', port });
  client.on('error', () => undefined);
  clients.push(client);
  return client;
}

async function readAll(client: Socket): Promise<Buffer> {
  const parts: Buffer[] = [];
  client.on('data', (part: Buffer) => parts.push(part));
  await once(client, 'close');
  return Buffer.concat(parts);
}

/** Resolves when something has come, with all that has. */
async function next(client: Socket): Promise<string> {
  const [bytes] = (await once(client, 'data')) as [Buffer];
  return bytes.toString('latin1');
}

async function eventually(met: () => boolean): Promise<void> {
  while (!met()) await new Promise((resolve) => setImmediate(resolve));
}

function echo(): void {
  endpoint.onStream((stream) => {
    stream.onData((bytes) => void stream.write(bytes));
    stream.onDrain(() => undefined);
    stream.onEnd(() => {
      stream.end();
    });
    stream.onClose(() => undefined);
  });
}

/** Streams as they come, each with listeners that keep what was received. */
function collect(): { streams: TunnelStream[]; received: () => string } {
  const streams: TunnelStream[] = [];
  let text = '';
  endpoint.onStream((stream) => {
    stream.onData((bytes) => {
      text += new TextDecoder('latin1').decode(bytes);
    });
    stream.onDrain(() => undefined);
    stream.onEnd(() => undefined);
    stream.onClose(() => undefined);
    streams.push(stream);
  });
  return { streams, received: () => text };
}

/** A client that has begun, and what the agent's side has of it. */
async function begun(): Promise<{ readonly client: Socket; readonly stream: TunnelStream }> {
  const { streams } = collect();
  const { port } = await open();
  const client = dialLocal(port);
  client.write('startup');
  await eventually(() => streams.length === 1);
  return { client, stream: streams[0]! };
}

describe('openForward', () => {
  it('carries 3 MB both ways unchanged, and the half-close', async () => {
    echo();
    const { port } = await open({ type: 'tcp' });
    const sent = Buffer.alloc(3_000_000, 'hoop forwards bytes. ');
    const client = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    clients.push(client);
    client.end(sent);
    expect((await readAll(client)).equals(sent)).toBe(true);
  });

  it('keeps 20 connections of one tunnel apart', async () => {
    echo();
    const { port } = await open({ type: 'tcp' });
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const client = dialLocal(port);
        client.write(`client ${String(index)}`);
        return next(client);
      }),
    );
    expect(answers).toEqual(Array.from({ length: 20 }, (_, index) => `client ${String(index)}`));
    expect(endpoint.tunnels).toHaveLength(1);
  });

  it('opens no stream and reads no byte while the peer check runs', async () => {
    const { streams, received } = collect();
    let admit: () => void = () => undefined;
    const asked = new Promise<void>((resolveAsked) => {
      void open({
        checkPeer: () =>
          new Promise((resolve) => {
            admit = () => {
              resolve({ admitted: true });
            };
            resolveAsked();
          }),
      }).then(({ port }) => dialLocal(port).write('startup'));
    });
    await asked;
    await time.advance(1_000);
    expect(streams).toHaveLength(0);
    admit();
    await eventually(() => received() === 'startup');
    expect(streams).toHaveLength(1);
  });

  it('tells a refused Postgres client why in its protocol, relays nothing, and says so in an event', async () => {
    const { streams } = collect();
    const { port } = await open({ checkPeer: () => Promise.resolve({ admitted: false, why: 'another user' }) });
    const client = dialLocal(port);
    client.write('startup');
    const answer = (await readAll(client)).toString('latin1');
    expect(answer).toMatch(
      /^E.*SFATAL\0VFATAL\0C28000\0Mthis port serves only the user who opened it: another user\0\0$/s,
    );
    expect(streams).toHaveLength(0);
    expect(events).toEqual([{ event: 'refused', connection: 'postgres', why: 'another user' }]);
  });

  it('refuses when the peer check itself fails', async () => {
    const { streams } = collect();
    const { port } = await open({ checkPeer: () => Promise.reject(new Error('no /proc')) });
    expect((await readAll(dialLocal(port))).toString('latin1')).toContain('C08006');
    expect(streams).toHaveLength(0);
  });

  it('keeps the port when the tunnel breaks: a new connection waits and goes through the next tunnel', async () => {
    echo();
    const { port } = await open({ type: 'tcp' });
    endpoint.breakTunnels();
    await eventually(() => events.some((event) => event.event === 'reconnecting'));
    const client = dialLocal(port);
    client.write('after');
    const answered = next(client);
    await time.advance(1_000);
    await eventually(() => events.some((event) => event.event === 'reconnected'));
    expect(await answered).toBe('after');
    expect(endpoint.tunnels).toHaveLength(2);
  });

  it('ends a waiting Postgres client with 08006 when no tunnel comes within 30 s', async () => {
    const { port } = await open();
    endpoint.refuse(true);
    endpoint.breakTunnels();
    await eventually(() => events.some((event) => event.event === 'reconnecting'));
    const client = dialLocal(port);
    const answer = readAll(client);
    await once(client, 'connect');
    let done = false;
    void answer.then(() => {
      done = true;
    });
    await eventually(() => {
      void time.advance(1_000);
      return done;
    });
    expect((await answer).toString('latin1')).toMatch(/C08006\0Mno tunnel to the agent within 30 s/);
  });

  it('sends a Postgres client 08006 when the tunnel breaks between two messages', async () => {
    const { client, stream } = await begun();
    stream.write(AUTHENTICATION_OK);
    expect(await next(client)).toHaveLength(9);
    const rest = readAll(client);
    endpoint.breakTunnels();
    expect((await rest).toString('latin1')).toMatch(/^E.*C08006\0Mconnection to the hoop agent was lost\0\0$/s);
  });

  it('adds nothing when the tunnel breaks inside a message', async () => {
    const { client, stream } = await begun();
    stream.write(AUTHENTICATION_OK.subarray(0, 7));
    expect(await next(client)).toHaveLength(7);
    const rest = readAll(client);
    endpoint.breakTunnels();
    expect(await rest).toHaveLength(0);
  });

  it('adds nothing when the agent ended the session itself', async () => {
    const { client, stream } = await begun();
    stream.write(AUTHENTICATION_OK);
    await next(client);
    const rest = readAll(client);
    stream.destroy({ code: 'protocol', message: 'garbage' });
    expect(await rest).toHaveLength(0);
  });

  it('ends its local connections and its tunnel when closed', async () => {
    echo();
    const forward = await open({ type: 'tcp' });
    const client = dialLocal(forward.port);
    client.write('x');
    await next(client);
    const ended = readAll(client);
    await forward.close();
    await ended;
    await expect(once(connect({ host: '127.0.0.1', port: forward.port }), 'connect')).rejects.toThrow('ECONNREFUSED');
  });

  it('serves a socket file without a peer check: its mode is the check', async () => {
    echo();
    const path = join(makeFolder('forward'), 's');
    const onEvent = (): void => undefined;
    const keeper = new TunnelKeeper({ connection: 'postgres', dial: () => endpoint.dial(), onEvent, time });
    await keeper.start();
    forwards.push(
      await openForward({
        connection: 'postgres',
        type: 'tcp',
        listen: (server) => listenOnSocket(server, path),
        keeper,
        onEvent,
      }),
    );
    const client = connect({ path });
    clients.push(client);
    client.write('over a file');
    expect(await next(client)).toBe('over a file');
  });

  it.runIf(process.platform === 'linux' && process.getuid?.() === 0)(
    'lets a process of this user through and none of the user nobody (needs root)',
    async () => {
      echo();
      const { port } = await open({ type: 'tcp', checkPeer: peerCheck() });
      const uid = Number(execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' }));
      const script = `
      const socket = require('node:net').connect({ host: '127.0.0.1', port: ${String(port)} });
      socket.on('data', (data) => { console.log(String(data)); socket.end(); }).on('error', () => {}).write('hello');`;
      const run = async (as: object): Promise<string> => {
        const child = spawn(process.execPath, ['-e', script], { cwd: '/', stdio: ['ignore', 'pipe', 'ignore'], ...as });
        let out = '';
        child.stdout.on('data', (part: Buffer) => (out += part.toString()));
        await once(child, 'close');
        return out.trim();
      };
      expect(await run({})).toBe('hello');
      expect(await run({ uid, gid: uid })).toBe('');
      expect(events.at(-1)).toMatchObject({ event: 'refused' });
    },
  );

  it.runIf(spawnSync('psql', ['--version']).status === 0)(
    'shows psql the reason of a refusal (needs psql)',
    async () => {
      const { port } = await open({ checkPeer: () => Promise.resolve({ admitted: false, why: 'another user' }) });
      const child = spawn('psql', ['-h', '127.0.0.1', '-p', String(port), '-U', 'x', '-d', 'x', '-c', 'select 1'], {
        env: { ...process.env, PGSSLMODE: 'disable' },
      });
      let shown = '';
      child.stderr.on('data', (part: Buffer) => (shown += part.toString()));
      await once(child, 'close');
      expect(shown).toContain('FATAL:  this port serves only the user who opened it: another user');
    },
  );
});
