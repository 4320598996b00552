import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../../../support/agent.js';
import { startHttpUpstream, type HttpUpstream } from '../../../support/http-upstream.js';

let upstream: HttpUpstream;
let agent: TestAgent;

beforeAll(async () => {
  upstream = await startHttpUpstream((_seen, response) => response.end('{}'));
  agent = await startTestAgent({
    agentSpec: 'limits: { loginsPerMinute: 2 }',
    policies: `
apiVersion: hoop/v1
kind: Connection
metadata: { name: openai }
spec: { type: openai, url: "${upstream.url}", access: { groups: [engineering] } }
`,
  });
});

afterAll(async () => {
  await agent.close();
  upstream.close();
});

async function ask(token: string, name = 'openai') {
  const answer = await fetch(`${agent.agent.url}/c/${name}/v1/models`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { error } = (await answer.json()) as { error?: { code?: string; message?: string } };
  return {
    status: answer.status,
    code: error?.code,
    message: error?.message,
    after: answer.headers.get('retry-after'),
  };
}

/** Status and Retry-After that an upgrade is answered with. */
function upgrade(token: string): Promise<readonly [number | undefined, string | undefined]> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...{ authorization: `Bearer ${token}`, connection: 'upgrade', upgrade: 'websocket' },
      ...{ 'sec-websocket-version': '13', 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==' },
    };
    request(`${agent.agent.url}/c/openai/v1/realtime`, { headers }, (answer) => {
      answer.resume();
      resolve([answer.statusCode, answer.headers['retry-after']]);
    })
      .on('error', reject)
      .end();
  });
}

describe('somebody who asks too often at /c/', () => {
  it('for what is not theirs is told when to come again, and nothing of whether there is such a connection', async () => {
    const nobody = await agent.token({ subject: 'eve', groups: ['sales'] });
    const asked = [await ask(nobody, 'openai'), await ask(nobody, 'nothing'), await ask(nobody, 'openai')];
    expect(asked.map(({ status }) => status)).toEqual([403, 403, 429]);
    expect(asked[0]?.message?.replace('openai', 'nothing')).toBe(asked[1]?.message);
    expect(asked[2]).toMatchObject({ code: 'hoop_limit', after: expect.stringMatching(/^\d+$/) as string });
    expect(await upgrade(nobody)).toEqual([429, expect.stringMatching(/^\d+$/)]);
  });

  it('with tokens that are none is 429 in the dialect; a token that was proven goes on', async () => {
    const good = await agent.token();
    expect((await ask(good)).status).toBe(200);
    const bad = [await ask('a.b.c'), await ask('d.e.f'), await ask('g.h.i')];
    expect(bad.map(({ status }) => status)).toEqual([401, 401, 429]);
    expect(bad[2]).toMatchObject({ code: 'hoop_limit', after: expect.stringMatching(/^\d+$/) as string });
    expect((await ask(good)).status).toBe(200);
    expect(agent.logged.join('\n')).not.toContain('refused:');
  });
});
