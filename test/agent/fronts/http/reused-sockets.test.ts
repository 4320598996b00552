import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../../../support/agent.js';
import { httpConnection } from '../../../support/http-connection.js';

/** Answers the first request of each socket and cuts it at the second, as a server does that just closes it. */
let server: Server;
let agent: TestAgent;
/** The methods that came, each with its number on its socket. */
let seen: string[] = [];
let cutsAll = false;

function serve(socket: Socket): void {
  let requests = 0;
  socket.on('error', () => undefined);
  socket.on('data', (bytes) => {
    requests += 1;
    seen.push(`${bytes.toString().split(' ')[0] ?? ''} ${String(requests)}`);
    if (cutsAll || requests > 1) socket.destroy();
    else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
  });
}

beforeAll(async () => {
  server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${String(port)}`;
  agent = await startTestAgent({ policies: httpConnection('crm', url, { access: { groups: ['*'] } }) });
});

afterAll(async () => {
  await agent.close();
  server.close();
});

const ask = async (method: string): Promise<number> => {
  const headers = { authorization: `Bearer ${await agent.token()}` };
  const answer = await fetch(`${agent.agent.url}/c/crm/x`, { method, headers });
  await answer.text();
  return answer.status;
};

describe('a socket that the upstream closes as it is used again', () => {
  beforeEach(() => {
    seen = [];
  });

  it('is the end of a request that may have done something', async () => {
    expect([await ask('GET'), await ask('POST')]).toEqual([200, 502]);
    expect(seen).toEqual(['GET 1', 'POST 2']);
  });

  it('costs a request that changes nothing no answer', async () => {
    expect([await ask('GET'), await ask('GET')]).toEqual([200, 200]);
    expect(seen).toEqual(['GET 1', 'GET 2', 'GET 1']);
  });

  it('is tried once more alone', async () => {
    cutsAll = true;
    expect(await ask('OPTIONS')).toBe(502);
    expect(seen.map((one) => one.split(' ')[0])).toEqual(['OPTIONS', 'OPTIONS']);
  });
});
