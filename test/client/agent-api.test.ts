import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { AgentApi } from '../../src/client/agent-api.js';
import { createFetch } from '../../src/identity/http-fetch.js';
import { makeFolder } from '../support/folders.js';

const WELL_KNOWN = {
  version: '1',
  issuer: 'https://i',
  audience: 'hoop',
  clientId: 'c',
  scopes: ['openid'],
  recordingKeys: [{ keyId: 'k', publicKey: 'p' }],
};

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function listen(server: Server, scheme = 'http'): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function agent(answer: RequestListener): Promise<AgentApi> {
  return new AgentApi({ url: await listen(createServer(answer)), token: async () => 'planted-token' });
}

const json = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};

describe('AgentApi', () => {
  it('sends the token in the header alone, and bodies as JSON', async () => {
    const seen: { request: IncomingMessage; body: string }[] = [];
    const api = await agent((request, response) => {
      void text(request).then((body) => {
        seen.push({ request, body });
        json(response, 200, { ok: true });
      });
    });
    expect(await api.get('/v1/x?y=1')).toEqual({ ok: true });
    expect(await api.post('/v1/x', { a: 1 })).toEqual({ ok: true });
    expect(seen.map(({ request, body }) => [request.method, request.url, request.headers.authorization, body])).toEqual(
      [
        ['GET', '/v1/x?y=1', 'Bearer planted-token', ''],
        ['POST', '/v1/x', 'Bearer planted-token', '{"a":1}'],
      ],
    );
  });

  it('asks /.well-known/hoop without the token, takes more fields, and refuses fewer', async () => {
    let authorization: string | undefined = 'unset';
    let body: unknown = { ...WELL_KNOWN, future: true };
    const api = await agent((request, response) => {
      authorization = request.headers.authorization;
      json(response, 200, body);
    });
    expect(await api.wellKnown()).toEqual(WELL_KNOWN);
    expect(authorization).toBeUndefined();
    for (const field of Object.keys(WELL_KNOWN)) {
      body = { ...WELL_KNOWN, [field]: undefined };
      await expect(api.wellKnown()).rejects.toMatchObject({ code: 'protocol' });
    }
  });

  it('throws the agent’s own code, message and suggestion', async () => {
    const api = await agent((_request, response) =>
      json(response, 403, { error: { code: 'no_access', message: 'no', suggestion: 'ask' } }),
    );
    await expect(api.get('/')).rejects.toMatchObject({
      name: 'HoopError',
      code: 'no_access',
      message: 'no',
      suggestion: 'ask',
      exitStatus: 4,
    });
  });

  it.each([
    [401, 'token_refused'],
    [403, 'not_allowed'],
    [404, 'not_found'],
    [302, 'protocol'],
    [500, 'failed'],
  ])('without such a body takes status %i for %s', async (status, code) => {
    for (const body of ['', '<html>', '{"error":{"code":"constructor","message":"x"}}', 'null', '{"error":7}']) {
      const api = await agent((_request, response) =>
        response.writeHead(status, { location: 'http://127.0.0.1:9/' }).end(body),
      );
      await expect(api.get('/')).rejects.toMatchObject({ name: 'HoopError', code });
    }
  });

  it('follows no redirect with the token', async () => {
    const seen: (string | undefined)[] = [];
    const other = await listen(
      createServer((request, response) => {
        seen.push(request.headers.authorization);
        response.end('{}');
      }),
    );
    const api = await agent((_request, response) => response.writeHead(307, { location: other }).end());
    await expect(api.get('/')).rejects.toMatchObject({ code: 'protocol' });
    expect(seen).toEqual([]);
  });

  it('is unreachable, exit status 8, where nothing listens, where the answer breaks off, and without naming the token', async () => {
    const gone = new AgentApi({ url: 'http://127.0.0.1:9', token: async () => 'planted-token' });
    const breaks = await agent((_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"half":');
      response.destroy();
    });
    for (const api of [gone, breaks]) {
      const error = await api.get('/').catch((thrown: unknown) => thrown as Error & { why?: string });
      expect(error).toMatchObject({ code: 'unreachable', exitStatus: 8 });
      expect(`${(error as Error).message}${(error as { why?: string }).why ?? ''}`).not.toContain('planted');
    }
    const elsewhere = new AgentApi({ url: 'https://no-such-host.invalid', token: async () => 'x' });
    await expect(elsewhere.get('/')).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('takes an answer that is no JSON for another program’s', async () => {
    const api = await agent((_request, response) => response.end('hello'));
    await expect(api.get('/')).rejects.toMatchObject({ code: 'protocol' });
  });

  it('streams bytes as they come', async () => {
    let push: (line: string) => void = () => undefined;
    const api = await agent((_request, response) => {
      response.writeHead(200).flushHeaders();
      push = (line) => response.write(line);
    });
    const stream = await api.stream('/v1/follow');
    const chunks = stream[Symbol.asyncIterator]();
    for (const line of ['one\n', 'two\n']) {
      push(line);
      expect(String((await chunks.next()).value)).toBe(line);
    }
    stream.destroy();
  });
});

describe('createFetch', () => {
  it('gives up on a peer that is silent before its answer, and inside of it', async () => {
    const fetch = createFetch({ timeoutMs: 50 });
    const silent = await listen(createServer(() => undefined));
    await expect(fetch(silent, {})).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    const stuck = await listen(createServer((_request, response) => void response.writeHead(200).write('half')));
    const response = await fetch(stuck, {});
    await expect(response.text()).rejects.toThrow();
  });

  it('trusts a certificate of HOOP_CA_FILE, and not without', async () => {
    const folder = makeFolder('ca');
    try {
      const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
      execFileSync(
        'openssl',
        [
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:P-256',
          '-nodes',
          '-days',
          '2',
          '-subj',
          '/CN=hoop',
          '-addext',
          'subjectAltName=IP:127.0.0.1',
          '-keyout',
          key,
          '-out',
          cert,
        ],
        { stdio: 'pipe' },
      );
      const url = await listen(
        createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_request, response) =>
          response.end('{"tls":true}'),
        ),
        'https',
      );
      const api = new AgentApi({ url, token: async () => 'x', caFile: cert });
      expect(await api.get('/')).toEqual({ tls: true });
      await expect(new AgentApi({ url, token: async () => 'x' }).get('/')).rejects.toMatchObject({
        code: 'unreachable',
      });
      writeFileSync(cert, '');
      expect(() => new AgentApi({ url, token: async () => 'x', caFile: join(folder, 'missing.pem') })).toThrow(
        /HOOP_CA_FILE/,
      );
    } finally {
    }
  });
});
