import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHttpAgent, type HttpAgent } from '../../../support/http-agent.js';

let agent: HttpAgent;

beforeAll(async () => {
  agent = await startHttpAgent(
    (_seen, response) => {
      response.writeHead(200, { 'content-type': 'text/plain', 'x-hoop-warning': 'of the upstream' });
      response.end('done');
    },
    {
      connections: { crm: 'http' },
      policies: `
apiVersion: hoop/v1
kind: Policy
metadata: { name: care }
spec:
  rules:
    - { name: orders, when: 'http.path.startsWith("/orders")', action: warn, message: Orders are watched. }
    - { name: odd, when: 'http.path.endsWith("/odd")', action: warn, message: "Größer\\r\\nx-evil: 1" }
    - { name: no-dumps, when: 'http.path.endsWith("/dump")', action: block }
`,
    },
  );
});

afterAll(() => agent.close());

async function warned(path: string): Promise<readonly [number, string | null, string | null]> {
  const { status, headers } = await agent.ask('crm', path);
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
