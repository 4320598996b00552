import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createAddressOf } from '../../../src/agent/http/client-address.js';
import { LoginLimit } from '../../../src/agent/callers/login-limit.js';
import { getLines, startAgent, statusOf } from './agent.js';

describe('the host', () => {
  it.each([
    ['127.0.0.1', 200],
    ['127.0.0.1:8443', 200],
    ['localhost:1', 200],
    ['LOCALHOST', 200],
    ['[::1]:8443', 200],
    ['agent.example.com', 200],
    ['evil.example.com', 421],
    ['127.0.0.1.evil.example.com', 421],
    ['evil.example.com:80@127.0.0.1', 421],
    ['10.0.0.5', 421],
    ['', 421],
  ])('%s answers %d', async (host, status) => {
    const { raw } = await startAgent({ publicUrl: 'https://agent.example.com' });
    expect(statusOf(await raw(getLines('/healthz', [], host)))).toBe(status);
  });

  it('may be any address, but no foreign name, where the agent listens everywhere', async () => {
    const { raw } = await startAgent({ listen: { host: '0.0.0.0', port: 0 } });
    expect(statusOf(await raw(getLines('/healthz', [], '10.0.0.5:8443')))).toBe(200);
    expect(statusOf(await raw(getLines('/healthz', [], 'evil.example.com')))).toBe(421);
  });

  it('is given exactly once', async () => {
    const { raw } = await startAgent();
    expect(statusOf(await raw(getLines('/healthz', ['Host: localhost'])))).toBe(400);
    expect(statusOf(await raw('GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n'))).toBe(400);
  });
});

describe('the origin', () => {
  const upgradeHeaders = ['Upgrade: websocket', 'Sec-WebSocket-Key: x'];
  const upgradeLines = (headers: readonly string[]) =>
    ['GET /v1/tunnel/postgres HTTP/1.1', 'Host: localhost', 'Connection: Upgrade', ...headers, '', ''].join('\r\n');
  const postLines = (headers: readonly string[]) =>
    [
      'POST /v1/requests/x/approve HTTP/1.1',
      'Host: localhost',
      ...headers,
      'Content-Length: 0',
      'Connection: close',
      '',
      '',
    ].join('\r\n');

  it.each([
    ['absent', [], true],
    ['the agent’s own', ['Origin: http://localhost'], true],
    ['the public address', ['Origin: https://agent.example.com'], true],
    ['another site', ['Origin: https://evil.example.com'], false],
    ['null', ['Origin: null'], false],
    ['another port', ['Origin: http://localhost:3000'], false],
    ['two of them', ['Origin: http://localhost', 'Origin: http://localhost'], false],
  ])('%s', async (_which, origin, allowed) => {
    const { raw } = await startAgent({ publicUrl: 'https://agent.example.com' });
    expect(statusOf(await raw(postLines(origin)))).toBe(allowed ? 404 : 403);
    expect(statusOf(await raw(upgradeLines([...upgradeHeaders, ...origin])))).toBe(allowed ? 101 : 403);
  });

  it('and host of an upgrade are checked, its path too; other upgrades are refused', async () => {
    const { raw } = await startAgent();
    expect(statusOf(await raw(upgradeLines(upgradeHeaders).replace('Host: localhost', 'Host: evil.example.com')))).toBe(
      421,
    );
    expect(
      statusOf(await raw(upgradeLines(upgradeHeaders).replace('/v1/tunnel/postgres', '/v1/tunnel/..%2fpostgres'))),
    ).toBe(400);
    expect(
      statusOf(
        await raw(upgradeLines(upgradeHeaders).replace('/v1/tunnel/postgres', '/v1/tunnel/postgres?access_token=x')),
      ),
    ).toBe(400);
    expect(statusOf(await raw(upgradeLines(['Upgrade: h2c'])))).toBe(400);
  });
});

describe('the path', () => {
  it.each([
    '//v1/whoami',
    '/v1//whoami',
    '/v1/./whoami',
    '/v1/../v1/whoami',
    '/healthz/..',
    '/v1/%2e%2e/whoami',
    '/v1%2Fwhoami',
    '/v1%5cwhoami',
    '/v1\\whoami',
    '/v1/whoami%00',
    '/v1/whoami%',
    '/v1/whoami%zz',
    '/v1/whoami;a=b',
    'http://127.0.0.1/v1/whoami',
    '*',
  ])('%s is refused before anything looks at it', async (path) => {
    const { raw } = await startAgent();
    expect(statusOf(await raw(getLines(path, ['Authorization: Bearer alice'])))).toBe(400);
  });

  it.each(['/V1/whoami', '/v1/whoami/', '/v1/sessions/not-an-id', '/v1/sessions/..', '/v1/tunnel/postgres', '/'])(
    '%s is not a route',
    async (path) => {
      const { raw } = await startAgent();
      expect([400, 404]).toContain(statusOf(await raw(getLines(path, ['Authorization: Bearer alice']))));
    },
  );

  it('answers 405 and what it takes to another method', async () => {
    const { url } = await startAgent();
    for (const method of ['DELETE', 'PUT', 'OPTIONS', 'PATCH']) {
      const response = await fetch(`${url}/v1/requests`, { method, headers: { authorization: 'Bearer bob' } });
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
    }
  });
});

describe('the parser', () => {
  it.each([
    [
      'Content-Length with Transfer-Encoding',
      'POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'two Content-Lengths',
      'POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n',
    ],
    ['a folded header', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n c\r\n\r\n'],
    ['a bare LF', 'GET /healthz HTTP/1.1\r\nHost: localhost\nX-A: b\r\n\r\n'],
    ['a space before the colon', 'GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n'],
    [
      'chunked that is not last',
      'POST /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
    ],
    ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00'],
  ])('refuses %s and hangs up', async (_what, text) => {
    const { raw, get } = await startAgent();
    const answer = await raw(text);
    expect(statusOf(answer)).toBe(400);
    expect(answer).toContain('"code":"usage"');
    expect((await get('/healthz')).status).toBe(200);
  });
});

describe('limits', () => {
  it('refuse an address over 8 KiB, headers over 32 KiB, more than 100 headers', async () => {
    const { raw } = await startAgent();
    expect(statusOf(await raw(getLines(`/${'a'.repeat(8 * 1024)}`)))).toBe(414);
    expect(statusOf(await raw(getLines('/healthz', [`X-A: ${'a'.repeat(33 * 1024)}`])))).toBe(431);
    expect(
      statusOf(
        await raw(
          getLines(
            '/healthz',
            Array.from({ length: 99 }, (_, index) => `X-${index}: a`),
          ),
        ),
      ),
    ).toBe(431);
    expect(
      statusOf(
        await raw(
          getLines(
            '/healthz',
            Array.from({ length: 98 }, (_, index) => `X-${index}: a`),
          ),
        ),
      ),
    ).toBe(200);
  });

  it('refuse a body over 64 KiB, with its length told and without', async () => {
    const { raw } = await startAgent();
    const head =
      'POST /v1/requests/019abcde-0000-7000-8000-0000000000ff/deny HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer bob\r\nContent-Type: application/json\r\n';
    expect(statusOf(await raw(`${head}Content-Length: ${64 * 1024 + 1}\r\n\r\n`))).toBe(413);
    const chunk = `8000\r\n${'a'.repeat(0x8000)}\r\n`;
    expect(statusOf(await raw(`${head}Transfer-Encoding: chunked\r\n\r\n${chunk}${chunk}1\r\na\r\n`))).toBe(413);
  });

  it('end a peer that sends nothing, half a line, or half a body', async () => {
    const { raw } = await startAgent({ timeouts: { headersMs: 100, requestMs: 150 } });
    const body =
      'POST /v1/requests/019abcde-0000-7000-8000-0000000000ff/deny HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer bob\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{';
    const answers = await Promise.all([raw(''), raw('GET /hea'), raw(body)]);
    expect(answers.slice(0, 2).map(statusOf)).toEqual([408, 408]);
    expect(answers[2]).not.toContain(' 200 ');
  });

  it('leave a good client answered within 1 s beside 300 half-open peers', async () => {
    const { port, get } = await startAgent();
    const peers = await Promise.all(
      Array.from({ length: 300 }, (_, index) => {
        return new Promise<Socket>((resolve, reject) => {
          const socket = connect(port, '127.0.0.1', () => {
            if (index % 2 === 0) socket.write('GET /healthz HTTP/1.1\r\nHost: loc');
            resolve(socket);
          });
          socket.once('error', reject);
        });
      }),
    );
    const tookMs: number[] = [];
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const startedAt = performance.now();
      expect((await get('/v1/whoami', 'alice')).status).toBe(200);
      tookMs.push(performance.now() - startedAt);
    }
    // A busy machine may take its time once.
    expect(Math.min(...tookMs)).toBeLessThan(1_000);
    for (const peer of peers) {
      peer.on('error', () => undefined);
      peer.destroy();
    }
  });
});

describe('refused tokens', () => {
  const attempt = 'Authorization: Bearer garbage';

  it('are answered with 429 and Retry-After once 2 of a limit of 2 a minute were sent, good ones before and after', async () => {
    const { raw, get } = await startAgent({ logins: new LoginLimit({ perMinute: 2, nowMs: () => 0 }) });
    expect((await get('/v1/whoami', 'alice')).status).toBe(200);
    for (let count = 0; count < 2; count += 1) expect(statusOf(await raw(getLines('/v1/whoami', [attempt])))).toBe(401);
    const answer = await raw(getLines('/v1/connections', [attempt]));
    expect(statusOf(answer)).toBe(429);
    expect(answer).toMatch(/^retry-after: 30\r$/im);
    expect(answer).toContain('"code":"limit"');
    expect((await get('/v1/whoami', 'alice')).status).toBe(200);
  });

  it('are counted by the caller that a trusted proxy names, and by the proxy where it is not trusted', async () => {
    const limit = (): LoginLimit => new LoginLimit({ perMinute: 1, nowMs: () => 0 });
    const from = (header: string): string => getLines('/v1/whoami', [attempt, `X-Forwarded-For: ${header}`]);
    const behind = await startAgent({ logins: limit(), addressOf: createAddressOf(['127.0.0.1']) });
    const statuses = [];
    // The last writes what it likes before the proxy adds its address: it stays the one that had its attempt.
    for (const header of ['203.0.113.5', '203.0.113.5', '203.0.113.6', '198.51.100.1, 203.0.113.6'])
      statuses.push(statusOf(await behind.raw(from(header))));
    expect(statuses).toEqual([401, 429, 401, 429]);
    const alone = await startAgent({ logins: limit() });
    expect(statusOf(await alone.raw(from('203.0.113.5')))).toBe(401);
    expect(statusOf(await alone.raw(from('203.0.113.6')))).toBe(429);
  });

  it('are not what a request without a token is: 20 of those answer 401 under a limit of 1', async () => {
    const { get } = await startAgent({ logins: new LoginLimit({ perMinute: 1, nowMs: () => 0 }) });
    for (let count = 0; count < 20; count += 1) expect((await get('/v1/whoami')).status).toBe(401);
  });
});

it('ends with upgraded sockets open once the grace is over', async () => {
  const { server, port } = await startAgent({
    onUpgrade: (_request, socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
  });
  const socket = connect(port, '127.0.0.1', () =>
    socket.write(
      'GET /v1/tunnel/postgres HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ),
  );
  await new Promise((resolve) => socket.once('data', resolve));
  socket.on('error', () => undefined);
  const ended = new Promise((resolve) => socket.once('close', resolve));
  await server.close(10);
  await ended;
});

it('says which address is taken', async () => {
  const { port } = await startAgent();
  await expect(startAgent({ listen: { host: '127.0.0.1', port } })).rejects.toMatchObject({
    code: 'port_taken',
    why: `127.0.0.1:${port}`,
  });
});
