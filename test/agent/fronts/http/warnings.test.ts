import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../../../support/agent.js';
import { startHttpUpstream, type HttpUpstream } from '../../../support/http-upstream.js';

let upstream: HttpUpstream;
let agent: TestAgent;

beforeAll(async () => {
  upstream = await startHttpUpstream((_seen, response) => {
    response.writeHead(200, { 'content-type': 'text/plain', 'x-hoop-warning': 'of the upstream' });
    response.end('done');
  });
  agent = await startTestAgent({
    policies: `
apiVersion: hoop/v1
kind: Connection
metadata: { name: crm }
spec: { type: http, url: "${upstream.url}", access: { groups: ['*'] } }
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: care }
spec:
  rules:
    - { name: orders, when: 'http.path.startsWith("/orders")', action: warn, message: Orders are watched. }
    - { name: odd, when: 'http.path.endsWith("/odd")', action: warn, message: "Größer\\r\\nx-evil: 1" }
    - { name: no-dumps, when: 'http.path.endsWith("/dump")', action: block }
`,
  });
});

afterAll(async () => {
  await agent.close();
  upstream.close();
});

async function warned(path: string): Promise<readonly [number, string | null, string | null]> {
  const { status, headers } = await fetch(`${agent.agent.url}/c/crm${path}`, {
    headers: { authorization: `Bearer ${await agent.token()}` },
  });
  return [status, headers.get('x-hoop-warning'), headers.get('x-evil')];
}

describe('a rule with the action warn', () => {
  it('is told in a header of the answer, of all that match, in one line of ASCII', async () => {
    expect(await warned('/orders/1')).toEqual([200, 'warning by policy care/orders: Orders are watched.', null]);
    expect(await warned('/orders/odd')).toEqual([
      200,
      'warning by policy care/odd: Gr??er??x-evil: 1, warning by policy care/orders: Orders are watched.',
      null,
    ]);
  });

  it('is told of no request that it does not meet, whatever the upstream says, and of none that is blocked', async () => {
    expect(await warned('/people')).toEqual([200, null, null]);
    expect(await warned('/orders/dump')).toEqual([403, null, null]);
  });
});
