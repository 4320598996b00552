import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { HoopError } from '../../src/core/errors.js';
import { dialTunnel } from '../../src/tunnel/dial.js';
import { makeKey, startLocalIssuer, type LocalIssuer, type SigningKey } from '../identity/local-issuer.js';
import { startTestAgent, type TestAgent, type TestIssuer } from '../support/agent.js';
import { startHttpUpstream, type HttpUpstream } from '../support/http-upstream.js';
import { missingPostgres } from '../support/postgres-server.js';

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

let local: LocalIssuer;
let key: SigningKey;
let strange: SigningKey;
let agent: TestAgent;
let upstream: HttpUpstream;

function claims(over: Record<string, unknown> = {}): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: local.issuer,
    aud: 'hoop',
    sub: 'ann',
    groups: ['engineering', 'dba'],
    iat: now,
    exp: now + 600,
    ...over,
  };
}

function hmac(secret: string): string {
  const signed = `${encode({ alg: 'HS256', kid: 'one' })}.${encode(claims())}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

/** Each by how it is made: keys and times are those of the test. */
const FORGED: Readonly<Record<string, () => string | Promise<string>>> = {
  'alg none': () => `${encode({ alg: 'none', kid: 'one' })}.${encode(claims())}.AAAA`,
  'HS256 by the public key': () => hmac(JSON.stringify(key.jwk)),
  'a key of nobody under our kid': () => strange.sign(claims()),
  'a key that it brings itself': () => strange.sign(claims(), { jwk: strange.jwk }),
  'another type': () => key.sign(claims(), { typ: 'logout+jwt' }),
  'another audience': () => key.sign(claims({ aud: 'hoop-cli' })),
  'another issuer': () => key.sign(claims({ iss: `${local.issuer}/` })),
  'an end that is past': () => key.sign(claims({ exp: Math.floor(Date.now() / 1000) - 1 })),
  'a beginning in five minutes': () => key.sign(claims({ nbf: Math.floor(Date.now() / 1000) + 300 })),
  'groups that are one text': () => key.sign(claims({ groups: 'dba' })),
};

describe.skipIf(missingPostgres())('a forged token', () => {
  beforeAll(async () => {
    local = await startLocalIssuer();
    [key, strange] = [await makeKey('one'), await makeKey('one')];
    local.publish([key.jwk]);
    upstream = await startHttpUpstream((_seen, response) => response.end('{}'));
    const issuer: TestIssuer = {
      issuer: local.issuer,
      token: (over) => key.sign(claims(over)),
      close: () => local.close(),
    };
    const web = `apiVersion: hoop/v1
kind: Connection
metadata: { name: web }
spec: { type: http, url: '${upstream.url}', credentials: [{ groups: ['*'], headers: {} }], access: { groups: [engineering] } }
`;
    agent = await startTestAgent({ issuer, policies: web, agentSpec: 'limits: { loginsPerMinute: 10000 }' });
  });
  afterAll(async () => {
    await agent.close();
    upstream.close();
    await local.close();
  });

  const headers = (token: string): readonly Record<string, string>[] => [
    { authorization: `Bearer ${token}` },
    { 'x-api-key': token },
    { 'api-key': token },
  ];
  const upgrade = (path: string, header: Record<string, string>): Promise<number> =>
    new Promise((resolve) => {
      const socket = new WebSocket(`${agent.agent.url.replace('http', 'ws')}${path}`, { headers: header });
      socket.on('error', () => undefined);
      socket.on('open', () => {
        socket.terminate();
        resolve(101);
      });
      socket.on('unexpected-response', (request, response) => {
        request.destroy();
        resolve(response.statusCode ?? 0);
      });
    });
  const statuses = async (token: string): Promise<readonly number[]> => {
    const all: number[] = [];
    for (const header of headers(token)) {
      for (const path of ['/v1/whoami', '/v1/secrets', '/v1/requests/events', '/c/web/x'])
        all.push((await fetch(`${agent.agent.url}${path}`, { headers: header, method: 'GET' })).status);
      for (const path of ['/v1/tunnel/postgres', '/v1/tunnel/web', '/c/web/x']) all.push(await upgrade(path, header));
    }
    return all;
  };

  it.each(Object.keys(FORGED))(
    'by %s is 401 at every way in, in every header, and reaches no upstream',
    async (how) => {
      const token = await (FORGED[how] as () => string | Promise<string>)();
      expect(new Set(await statuses(token))).toEqual(new Set([401]));
      expect(upstream.seen).toEqual([]);
      expect(agent.logged.join('\n')).not.toContain(token.split('.')[1]);
      const dialled = dialTunnel({ agentUrl: agent.agent.url, connection: 'postgres', token });
      await expect(dialled).rejects.toBeInstanceOf(HoopError);
      await expect(dialled).rejects.toMatchObject({ code: 'token_refused' });
    },
  );

  it('differs from a true one in nothing else: that opens each of them', async () => {
    const token = await key.sign(claims());
    const bearer = { authorization: `Bearer ${token}` };
    expect((await fetch(`${agent.agent.url}/v1/whoami`, { headers: bearer })).status).toBe(200);
    expect((await fetch(`${agent.agent.url}/c/web/x`, { headers: bearer })).status).toBe(200);
    expect(await upgrade('/v1/tunnel/postgres', bearer)).toBe(101);
  });
});
