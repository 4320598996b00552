import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RequestView } from '../../src/core/approval.js';
import type { ConnectionResource } from '../../src/core/resources.js';
import { people, startAgent } from '../agent/http/agent.js';
import { heldStatement } from '../approvals/desk.js';
import { buildCli, runHoop, startHoop } from '../support/built-cli.js';
import type { Finished } from '../support/built-cli.js';
import { makeFolder } from '../support/folders.js';

const alice = people[0] as (typeof people)[number];

let folder = '';
beforeAll(async () => {
  folder = makeFolder('requests');
  await buildCli();
});

/** Runs hoop against the agent as the person whose token is their name. */
function hoop(args: readonly string[], agentUrl: string, token: string): Promise<Finished> {
  return runHoop(args, { HOOP_CONFIG_DIR: folder, HOOP_AGENT_URL: agentUrl, HOOP_TOKEN: token });
}

async function startHolding(text = 'UPDATE payments\nSET amount = 1') {
  const agent = await startAgent();
  const held = agent.approvals.open(heldStatement(alice, { text }));
  return { ...agent, ...held };
}

describe('hoop approve', () => {
  it('approves by id: exit 0, the statement shown, the wait over', async () => {
    const { url, request, outcome } = await startHolding();
    const ran = await hoop(['approve', request.id, '--reason', 'checked'], url, 'bob');
    expect([ran.status, ran.stdout]).toEqual([0, expect.stringContaining('  | UPDATE payments\n  | SET amount = 1')]);
    expect(await outcome).toEqual({ state: 'approved', by: 'bob@example.com', reason: 'checked' });
  });

  it('exits 4 for the requester and for one without the right', async () => {
    const { url, request } = await startHolding();
    const own = await hoop(['approve', request.id], url, 'alice');
    expect([own.status, own.stdout]).toEqual([4, '']);
    expect(own.stderr).toContain('your own request');
    expect((await hoop(['approve', request.id], url, 'carol')).status).toBe(4);
  });

  it('exits 1 and says who decided a decided one; with --json as one object on stdout', async () => {
    const { url, request, approvals } = await startHolding();
    approvals.decide(request.id, people[1] as (typeof people)[number], 'deny', 'no');
    const ran = await hoop(['approve', request.id, '--json'], url, 'bob');
    expect(ran.status).toBe(1);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      error: { code: 'already_decided', message: 'the request is denied already by bob@example.com' },
    });
  });

  it('exits 1 for what is no id, and never puts it into the path', async () => {
    const { url } = await startHolding();
    const ran = await hoop(['approve', '../connections'], url, 'bob');
    expect([ran.status, ran.stderr]).toEqual([1, expect.stringContaining('no such request')]);
  });

  it('without an id shows what waits for the caller and how to decide it', async () => {
    const { url, request } = await startHolding('SELECT \u001b[2J1\nrequest  forged');
    const ran = await hoop(['approve'], url, 'bob');
    expect(ran.status).toBe(0);
    expect(ran.stdout).toContain(request.id);
    expect(ran.stdout).toContain('  | SELECT \\x1b[2J1\n  | request  forged');
    expect(ran.stderr).toContain('hoop approve REQUEST');
    const own = await hoop(['approve', '--json'], url, 'alice');
    expect([own.status, own.stdout]).toEqual([0, '[]\n']);
  });
});

describe('hoop deny', () => {
  it('denies by id with the reason', async () => {
    const { url, request, outcome } = await startHolding();
    expect((await hoop(['deny', request.id, '--reason', 'wrong table'], url, 'bob')).status).toBe(0);
    expect(await outcome).toEqual({ state: 'denied', by: 'bob@example.com', reason: 'wrong table' });
  });

  it('without an id and a terminal says what to name, and denies nothing: exit 2', async () => {
    const { url, request, approvals } = await startHolding();
    for (const args of [['deny'], ['deny', '--reason', 'no']]) {
      const ran = await hoop(args, url, 'bob');
      expect([ran.status, ran.stdout]).toEqual([2, '']);
      expect(ran.stderr).toContain('no request was named');
      expect(ran.stderr).toContain('hoop deny REQUEST --reason TEXT');
    }
    const json = await hoop(['deny', '--json'], url, 'bob');
    expect(json.status).toBe(2);
    expect(JSON.parse(json.stdout)).toMatchObject({
      error: { code: 'usage', message: expect.stringContaining('no request was named') as string },
    });
    expect(approvals.get(people[1] as (typeof people)[number], request.id).state).toBe('pending');
  });
});

describe('hoop requests', () => {
  it('lists pending ones, the statement whole on one line and escaped', async () => {
    const { url, request } = await startHolding();
    const ran = await hoop(['requests'], url, 'bob');
    expect(ran.status).toBe(0);
    expect(ran.stdout.trim().split('\n')).toHaveLength(2);
    expect(ran.stdout).toContain('UPDATE payments\\nSET amount = 1');
    expect(ran.stdout).toContain(request.id);
  });

  it('prints one JSON array with an id each; decided ones with --all, own ones with --mine', async () => {
    const { url, request, approvals } = await startHolding();
    approvals.withdraw(request.id, 'client left');
    const list = async (args: readonly string[], token: string) =>
      (JSON.parse((await hoop(['requests', ...args, '--json'], url, token)).stdout) as RequestView[]).map(
        ({ id, state }) => ({ id, state }),
      );
    expect(await list([], 'alice')).toEqual([]);
    expect(await list(['--all', '--mine'], 'alice')).toEqual([{ id: request.id, state: 'cancelled' }]);
    expect(await list(['--all', '--mine'], 'bob')).toEqual([]);
  });

  it('takes --pending or --all, not both: exit 2', async () => {
    const { url } = await startHolding();
    expect((await hoop(['requests', '--pending', '--all'], url, 'bob')).status).toBe(2);
  });

  it('with --watch --json prints one object a line for each that comes and ends, until Ctrl-C', async () => {
    const { url, request, approvals } = await startHolding();
    const env = { HOOP_CONFIG_DIR: folder, HOOP_AGENT_URL: url, HOOP_TOKEN: 'bob' };
    const watching = startHoop(['requests', '--watch', '--json'], env);
    const states: string[] = [];
    for await (const line of createInterface({ input: watching.child.stdout as Readable })) {
      const seen = JSON.parse(line) as RequestView;
      expect(seen.id).toBe(request.id);
      states.push(seen.state);
      if (seen.state !== 'pending') break;
      approvals.withdraw(request.id, 'client left');
    }
    watching.child.kill('SIGINT');
    await watching.finished;
    expect(states).toEqual(['pending', 'cancelled']);
    expect(watching.child.signalCode).toBe('SIGINT');
  });

  it('exits 3 when the token is refused and 8 when nobody answers', async () => {
    const { url } = await startHolding();
    expect((await hoop(['requests'], url, 'garbage')).status).toBe(3);
    expect((await hoop(['requests', '--watch'], 'http://127.0.0.1:1', 'bob')).status).toBe(8);
  });
});

describe('hoop connections', () => {
  it('lists name, type, access and labels', async () => {
    const connection: ConnectionResource = {
      name: 'postgres',
      labels: { env: 'prod' },
      type: 'postgres',
      host: '127.0.0.1',
      port: 5432,
      database: 'shop',
      databases: [],
      tls: { mode: 'verify-full' },
      credentials: [{ groups: ['*'], username: 'hoop_app' }],
      access: { groups: ['engineering'], approval: 'db-access' },
      catalogTtlMs: 1000,
    };
    const { url } = await startAgent({}, { connections: () => [connection] });
    const ran = await hoop(['connections'], url, 'alice');
    expect(ran.stdout.split('\n')[1]).toMatch(/^postgres +postgres +needs approval +env=prod$/);
    expect(JSON.parse((await hoop(['connections', '--json'], url, 'alice')).stdout)).toEqual([
      { name: 'postgres', type: 'postgres', access: 'needs approval', database: 'shop', labels: { env: 'prod' } },
    ]);
    const none = await hoop(['ls'], url, 'bob');
    expect([none.status, none.stdout, none.stderr]).toEqual([0, '', 'no connection is open to you\n']);
  });
});
