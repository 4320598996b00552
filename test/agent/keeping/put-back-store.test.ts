import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { GrantView, RequestView } from '../../../src/core/approval.js';
import { startTestAgent, startTestIssuer, type TestAgent, type TestIssuer } from '../../support/agent.js';
import { missingPostgres } from '../../support/postgres-server.js';
import { makeFolder } from '../../support/folders.js';

const RESOURCES = `
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: db-access }
spec: { reviewers: [{ groups: [dba] }], wait: 60s, expiry: 1d }
---
apiVersion: hoop/v1
kind: Connection
metadata: { name: guarded }
spec:
  type: http
  url: http://127.0.0.1:9
  credentials: [{ groups: ['*'], headers: {} }]
  access: { groups: [engineering], approval: db-access }
`;

describe.skipIf(missingPostgres() !== undefined)('a store that was put back to an earlier state', () => {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  const start = (dir: string, issuer: TestIssuer): Promise<TestAgent> =>
    startTestAgent({ dir, issuer, policies: RESOURCES });

  it('gives no access back that was revoked since, and says so once', async () => {
    const dir = makeFolder('agent');
    const issuer = await startTestIssuer();
    closing.push(
      () => rmSync(dir, { recursive: true, force: true }),
      () => issuer.close(),
    );
    const store = join(dir, 'state', 'hoop.db');
    const ask = async (agent: TestAgent): Promise<GrantView> => {
      const body = { connection: 'guarded', duration: '1h', reason: 'look' };
      const asked = (await agent.call('/v1/requests', { token: await agent.token(), body })).body as RequestView;
      const dana = await agent.token({ subject: 'dana', groups: ['dba'] });
      await agent.call(`/v1/requests/${asked.id}/approve`, { token: dana, body: {} });
      return ((await agent.call('/v1/grants', { token: dana })).body as GrantView[])[0] as GrantView;
    };

    const first = await start(dir, issuer);
    const grant = await ask(first);
    await first.close();
    copyFileSync(store, join(dir, 'older.db'));

    const second = await start(dir, issuer);
    const dana = await second.token({ subject: 'dana', groups: ['dba'] });
    expect((await second.call('/v1/grants', { token: dana })).body).toMatchObject([{ id: grant.id, state: 'active' }]);
    expect((await second.call(`/v1/grants/${grant.id}/revoke`, { token: dana, body: { reason: 'left' } })).status).toBe(
      200,
    );
    await second.close();
    copyFileSync(join(dir, 'older.db'), store);

    const third = await start(dir, issuer);
    expect((await third.call('/v1/grants', { token: dana })).body).toEqual([]);
    expect((await third.call('/v1/grants?state=all', { token: dana })).body).toMatchObject([
      { id: grant.id, state: 'ended', endReason: 'the store was put back to an earlier state' },
    ]);
    expect(third.logged.join('\n')).toContain(
      'error the store was put back to an earlier state: it did not know 1 sealed',
    );
    const another = await ask(third);
    await third.close();

    const fourth = await start(dir, issuer);
    closing.push(() => fourth.close());
    expect(fourth.logged.join('\n')).not.toContain('put back');
    expect((await fourth.call('/v1/grants', { token: dana })).body).toMatchObject([
      { id: another.id, state: 'active' },
    ]);
  });
});
