import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GrantView, RequestView } from '../../src/core/approval.js';
import { startTestAgent, type TestAgent } from '../support/agent.js';
import { buildCli, runHoop, startHoop } from '../support/built-cli.js';
import { startHttpUpstream, type HttpUpstream } from '../support/http-upstream.js';
import { missingPostgres } from '../support/postgres-server.js';
import { makeFolder } from '../support/folders.js';
import { httpConnection } from '../support/http-connection.js';

const resources = (url: string): string => `
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: web-access }
spec: { reviewers: [{ groups: [dba], count: 1 }], grant: { ttl: 1h } }
${httpConnection('web', url, {
  credentials: [{ groups: ['*'], headers: {} }],
  access: { groups: ['engineering'], approval: 'web-access' },
})}`;

describe.skipIf(missingPostgres() !== undefined)('access by the command line', () => {
  let upstream: HttpUpstream;
  let agent: TestAgent;
  let folder = '';
  let [ann, dana] = ['', ''];

  beforeAll(async () => {
    await buildCli();
    folder = makeFolder('access');
    upstream = await startHttpUpstream((_seen, response) => response.end('hello\n'));
    agent = await startTestAgent({ policies: resources(upstream.url) });
    [ann, dana] = [await agent.token(), await agent.token({ subject: 'dana', groups: ['dba'] })];
  });

  afterAll(async () => {
    await agent.close();
    upstream.close();
  });

  const env = (token: string) => ({
    HOOP_CONFIG_DIR: folder,
    HOOP_AGENT_URL: agent.agent.url,
    HOOP_TOKEN: token,
    HOOP_KEYRING: 'file',
  });
  const decide = (id: string, verdict: string, reason = '') =>
    agent.call(`/v1/requests/${id}/${verdict}`, { token: dana, body: { reason } });
  const GET = ['exec', 'web', '-i', 'GET /'];

  it('is refused with exit 4 and what to type, then asked for with --wait, denied with 6, not given with 7', async () => {
    const refused = await runHoop(GET, env(ann));
    expect(refused.status).toBe(4);
    expect(refused.stderr).toContain('hoop request web --duration 1h --reason TEXT');

    const denied = startHoop([...GET, '--wait', '5m'], env(ann));
    const [, id = ''] = await denied.said(/waits for dba \(0 of 1\) until .*: hoop approve (\S+)/);
    await decide(id, 'deny', 'not today');
    const after = await denied.finished;
    expect([after.status, after.stdout]).toEqual([6, '']);
    expect(after.stderr).toContain('approval denied by dana@example.test: not today');

    const late = await runHoop([...GET, '--wait', '1s'], env(ann));
    expect(late.status).toBe(7);
    const { body } = await agent.call('/v1/requests?state=all', { token: dana });
    expect((body as RequestView[]).map(({ state }) => state).sort()).toEqual(['cancelled', 'denied']);
  });

  it('is withdrawn by Ctrl-C', async () => {
    const asking = startHoop(['request', 'web', '--reason', 'look'], env(ann));
    const [, id = ''] = await asking.said(/hoop approve (\S+)/);
    asking.child.kill('SIGINT');
    expect((await asking.finished).status).toBe(130);
    expect((await agent.call(`/v1/requests/${id}`, { token: dana })).body).toMatchObject({
      state: 'cancelled',
      decisionReason: 'withdrawn by the requester',
    });
  });

  it('is asked for without waiting, picked up later, listed and revoked', async () => {
    const asked = await runHoop(['request', 'web', '--duration', '20m', '--reason', 'look', '--no-wait'], env(ann));
    expect(asked.status).toBe(0);
    const id = asked.stdout.trim();
    const waiting = startHoop(['connect', 'web', '--duration', '20m', '--json'], env(ann));
    await waiting.printed(new RegExp(`"event":"approval.waiting".*"request":"${id}"`));
    await decide(id, 'approve', 'fine');
    await waiting.printed(/"event":"approval.resolved".*"outcome":"approved"/);
    await waiting.printed(/"event":"listening"/);

    const listed = await runHoop(['requests', '--grants', '--json'], env(ann));
    const [grant] = JSON.parse(listed.stdout) as GrantView[];
    expect(grant).toMatchObject({ request: id, kind: 'access', connection: 'web', mayRevoke: true });
    expect((await runHoop(['connections'], env(ann))).stdout).toMatch(/web +http +granted until 20/);

    const revoked = await runHoop(['revoke', grant?.id ?? '', '--reason', 'done'], env(dana));
    expect([revoked.status, revoked.stdout]).toEqual([
      0,
      expect.stringContaining('revoked by dana@example.test: done'),
    ]);
    const again = await runHoop(['revoke', grant?.id ?? ''], env(dana));
    expect(again.status).toBe(1);
    expect(again.stderr).toContain('revoked already by dana@example.test');
    waiting.child.kill('SIGINT');
    await waiting.finished;
  });
});
