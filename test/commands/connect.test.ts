import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TunnelEndpoint } from '../client/tunnel-pair.js';
import { buildCli, runHoop, startHoop, type Running } from '../support/built-cli.js';
import { makeFolder } from '../support/folders.js';

let agent: TunnelEndpoint;
let env: Record<string, string>;
const running: Running[] = [];

beforeAll(buildCli);

beforeEach(async () => {
  agent = await TunnelEndpoint.open();
  agent.onStream((stream) => {
    stream.onData((bytes) => void stream.write(bytes));
    stream.onDrain(() => undefined);
    stream.onEnd(() => {
      stream.end();
    });
    stream.onClose(() => undefined);
  });
  env = {
    HOOP_CONFIG_DIR: makeFolder('connect'),
    HOOP_AGENT_URL: agent.url,
    HOOP_TOKEN: 'token',
  };
});

afterEach(async () => {
  for (const { child, finished } of running.splice(0)) {
    child.kill('SIGKILL');
    await finished;
  }
  await agent.close();
});

function start(...args: string[]): Running {
  const started = startHoop(['connect', ...args], env);
  running.push(started);
  return started;
}

/** The lines of `--json`, one at a time. */
async function* linesOf(started: Running): AsyncGenerator<Record<string, unknown>, undefined> {
  let text = '';
  for await (const part of started.child.stdout as AsyncIterable<string>) {
    text += part;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n')) {
      yield JSON.parse(text.slice(0, end)) as Record<string, unknown>;
      text = text.slice(end + 1);
    }
  }
  return undefined;
}

async function firstLine(started: Running): Promise<Record<string, unknown>> {
  return (await linesOf(started).next()).value ?? {};
}

async function echoed(port: number, text: string): Promise<string> {
  const client = connect({ host: '127.0.0.1', port });
  client.write(text);
  const [bytes] = (await once(client, 'data')) as [Buffer];
  client.destroy();
  return bytes.toString();
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

describe('hoop connect', () => {
  it('prints the listening line of the contract first under --json, carries bytes, and ends with 0 at SIGINT', async () => {
    const started = start('postgres', '--json');
    const line = await firstLine(started);
    expect(line).toMatchObject({
      event: 'listening',
      connection: 'postgres',
      host: '127.0.0.1',
      env: { PGHOST: '127.0.0.1', PGUSER: 'postgres', PGDATABASE: 'postgres', PGSSLMODE: 'disable' },
    });
    const port = line['port'] as number;
    expect(line['env']).toMatchObject({
      PGPORT: String(port),
      HOOP_PORT: String(port),
      HOOP_SESSION_CONNECTION: 'postgres',
    });
    expect(await echoed(port, 'through the tunnel')).toBe('through the tunnel');
    started.child.kill('SIGINT');
    expect((await started.finished).status).toBe(0);
  });

  it('takes the same port the next time', async () => {
    const ports: unknown[] = [];
    for (let round = 0; round < 2; round += 1) {
      const started = start('postgres', '--json');
      ports.push((await firstLine(started))['port']);
      started.child.kill('SIGTERM');
      expect((await started.finished).status).toBe(0);
    }
    expect(ports[1]).toBe(ports[0]);
  });

  it('says on stderr where it listens and what to paste, and nothing on stdout', async () => {
    const started = start('postgres');
    const [, port = ''] = await started.said(/^postgres → 127\.0\.0\.1:(\d+) \(Ctrl-C ends\)$/m);
    await started.said(new RegExp(`psql 'postgresql://postgres@127\\.0\\.0\\.1:${port}/postgres\\?sslmode=disable'`));
    started.child.kill('SIGINT');
    const { status, stdout } = await started.finished;
    expect([status, stdout]).toEqual([0, '']);
  });

  it('opens several connections, each with a port of its own, and prefixes their variables', async () => {
    const started = start('postgres', 'second', '--print-env');
    await started.said(/second → /);
    started.child.kill('SIGINT');
    const { stdout } = await started.finished;
    expect(stdout).toMatch(/^export PGDATABASE='postgres'$/m);
    expect(stdout).toMatch(/^export HOOP_SECOND_PGDATABASE='other'$/m);
  });

  it('reports what the agent says, as lines of JSON', async () => {
    const started = start('postgres', '--json');
    const lines = linesOf(started);
    await lines.next();
    const news = { event: 'approval.waiting', request: 'r1', flows: ['dba-review'], expiresAt: '2026-11-21T00:00:00Z' };
    agent.tunnels[0]?.sendEvent(news);
    expect((await lines.next()).value).toEqual({ ...news, connection: 'postgres' });
  });

  it('tells the agent the hash of the port’s key, the same on every dial', async () => {
    agent.answers['/v1/connections'] = [{ name: 'ai', type: 'openai', access: 'open', labels: {}, database: '' }];
    const lines = linesOf(start('ai', '--json'));
    const { env: variables } = (await lines.next()).value as unknown as { env: Record<string, string> };
    agent.breakTunnels();
    for (;;) if ((await lines.next()).value?.['event'] === 'reconnected') break;
    const hash = createHash('sha256')
      .update(variables['OPENAI_API_KEY'] ?? '')
      .digest('hex');
    expect(agent.headers.map((headers) => headers['x-hoop-port-key'])).toEqual([hash, hash]);
  });

  it('fails with port_taken when another program has the port', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const { status, stderr } = await runHoop(['connect', 'postgres', '--port', String(port)], env);
    holder.close();
    expect(status).toBe(1);
    expect(stderr).toContain(`port ${String(port)} on 127.0.0.1 is taken`);
  });

  it('runs a command with the environment and returns its exit code', async () => {
    const script = 'console.log(process.env.PGHOST, process.env.PGPORT, process.env.HOOP_TOKEN); process.exit(42)';
    const port = await freePort();
    const { status, stdout } = await runHoop(
      ['connect', 'postgres', '--port', String(port), '--', process.execPath, '-e', script],
      env,
    );
    expect([status, stdout]).toEqual([42, `127.0.0.1 ${String(port)} undefined\n`]);
  });

  it('opens a port that answers an SSLRequest with S under --tls, and says sslmode=require', async () => {
    const line = await firstLine(start('postgres', '--json', '--tls'));
    expect(line['env']).toMatchObject({ PGSSLMODE: 'require' });
    const socket = connect(line['port'] as number, '127.0.0.1');
    socket.write(Buffer.from('0000000804d2162f', 'hex'));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(answer.toString('latin1')).toBe('S');
  });

  it.each([
    [['nope'], 4, 'no access to the connection nope'],
    [['postgres', '--host', '0.0.0.0'], 2, 'loopback'],
    [['postgres', 'second', '--port', '5555'], 2, 'take one connection'],
    [['postgres', '--tls', '--socket', '/tmp/hoop.sock'], 2, 'exclude each other'],
    [['postgres', '--no-wait'], 2, '--duration'],
    [['postgres', '--'], 2, 'no command after'],
    [['postgres', '--json', '--print-env'], 2, 'want stdout'],
    [[], 2, 'CONNECTION is missing'],
  ] as const)('refuses %j with exit %i', async (args, exit, text) => {
    const { status, stdout, stderr } = await runHoop(['connect', ...args], env);
    expect(stdout + stderr).toContain(text);
    expect(status).toBe(exit);
  });

  it('names the nearest of one’s own connections for a name that is none, and exits 4', async () => {
    const { status, stderr } = await runHoop(['connect', 'postgre'], env);
    expect(stderr).toContain('did you mean postgres?');
    expect(status).toBe(4);
  });

  it('exits 8 when no agent answers and 3 when it refuses the token', async () => {
    expect(
      (
        await runHoop(['connect', 'postgres'], {
          ...env,
          HOOP_AGENT_URL: `http://127.0.0.1:${String(await freePort())}`,
        })
      ).status,
    ).toBe(8);
    expect((await runHoop(['connect', 'postgres'], { ...env, HOOP_TOKEN: 'foreign' })).status).toBe(3);
  });
});
