import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startTestAgent, type TestAgent } from '../../../support/agent.js';
import { headerOf, httpConnection } from '../../../support/http-connection.js';

const MAIL = 'ann.lee@example.com';
const KEY = 'upstream-key-4f3a9c21';

const CUT_EVENTS =
  'data: {"choices":[{"index":0,"delta":{"content":"ann.lee@exa"}}]}\n\ndata: {"choices":[{"index":0,"delta":{"content":"mple.com"}}]}\n\n';

/** Whole answers as bytes: no server of Node's would send most of them. */
const ANSWERS = new Map<string, Buffer>([
  ['/205', Buffer.from(`HTTP/1.1 205 Reset\r\ncontent-type: text/plain\r\ncontent-length: 19\r\n\r\n${MAIL}`)],
  ['/utf-16-json', answer('application/json', Buffer.from(`{"mail":"${MAIL}"}`, 'utf16le'))],
  ['/utf-16-text', answer('text/plain', Buffer.from(`write to ${MAIL} now`, 'utf16le').swap16())],
  ['/utf-16-lines', answer('application/x-ndjson', Buffer.from(`{"mail":"${MAIL}"}\n`, 'utf16le'))],
  ['/utf-16-events', answer('text/event-stream', Buffer.from(`data: ${MAIL}\n\n`, 'utf16le'))],
  ['/spaced-charset', answer('text/plain; charset = "utf-16le"', Buffer.from(`to ${MAIL} now`, 'utf16le'))],
  ['/nan', answer('application/json', Buffer.from(`[NaN, "ann.lee\\u0040example.com"]`))],
  ['/nan-lines', answer('application/x-ndjson', Buffer.from(`{"a":1}\n[NaN, "ann.lee\\u0040example.com"]\n`))],
  ['/nan-text', answer('text/plain', Buffer.from(`[1,, "ann.lee\\u0040example.com"]`))],
  ['/nan-events', answer('text/event-stream', Buffer.from(`data: [NaN, "ann.lee\\u0040example.com"]\n\n`))],
  ['/json-as-events', answer('text/event-stream', Buffer.from(`{"a":"ann.lee\\u0040example.com"}`))],
  [
    '/cut-credential',
    answer(
      'text/event-stream',
      Buffer.from(
        `data: {"choices":[{"index":0,"delta":{"content":"it is ${KEY.slice(0, 12)}"}}]}\n\n` +
          `data: {"choices":[{"index":0,"delta":{"content":"${KEY.slice(12)}, keep it"}}]}\n\ndata: [DONE]\n\n`,
      ),
    ),
  ],
  ['/events-as-text', answer('text/plain', Buffer.from(CUT_EVENTS))],
  ['/events-as-json', answer('application/json', Buffer.from(CUT_EVENTS))],
  ['/events-as-lines', answer('application/x-ndjson', Buffer.from(CUT_EVENTS))],
  [
    '/in-structure',
    answer('text/plain', Buffer.from('x'), [`etag: "${MAIL}"`, `x-ratelimit-user: ${MAIL}`, `via: ${MAIL}`]),
  ],
  ['/named', answer('text/plain', Buffer.from('x'), [`${KEY}: 1`, 'x-4111111111111111: 1', 'x-told: 1'])],
  [
    '/two-codings',
    answer('text/plain', gzipSync(`the key is ${KEY} of ${MAIL}`), [
      'content-encoding: identity',
      'content-encoding: gzip',
    ]),
  ],
]);

function answer(type: string, body: Buffer, headers: readonly string[] = []): Buffer {
  const head = [
    'HTTP/1.1 200 OK',
    `content-type: ${type}`,
    `content-length: ${String(body.length)}`,
    ...headers,
    '',
    '',
  ].join('\r\n');
  return Buffer.concat([Buffer.from(head), body]);
}

let upstream: Server;
let agent: TestAgent;
const sockets = new Set<Socket>();

beforeAll(async () => {
  upstream = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (data: Buffer) => {
      socket.write(
        ANSWERS.get(/^\w+ (\S+)/.exec(data.toString())?.[1] ?? '') ?? answer('text/plain', Buffer.from('?')),
      );
    });
  }).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  agent = await startTestAgent({
    env: { CRM_TOKEN: KEY },
    policies: `
${httpConnection('crm', `http://127.0.0.1:${String(port)}`, {
  ...headerOf('authorization', 'CRM_TOKEN', 'Bearer '),
  access: { groups: ['*'] },
})}
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: masks }
spec:
  match: { connections: [crm], groups: [masked] }
  mask: [{ name: pii, entities: [email, credit-card], strategy: redact }]
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: watching }
spec:
  mode: observe
  match: { connections: [crm], groups: [watched] }
  mask: [{ name: pii, entities: [email], strategy: redact }]
`,
  });
});

afterAll(async () => {
  await agent.close();
  for (const socket of sockets) socket.destroy();
  upstream.close();
});

/** All bytes that come, by a client that believes nothing. */
async function bytesOf(path: string, groups: readonly string[]): Promise<Buffer> {
  const token = await agent.token({ groups });
  const { hostname, port } = new URL(agent.agent.url);
  const socket = connect(Number(port), hostname);
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part));
  socket.on('error', () => undefined);
  socket.write(
    `GET /c/crm${path} HTTP/1.1\r\nhost: ${hostname}:${port}\r\nauthorization: Bearer ${token}\r\nconnection: close\r\n\r\n`,
  );
  await once(socket, 'close');
  return Buffer.concat(parts);
}

/** What the sealed recording of an answer's session holds. */
function recorded(answered: Buffer): Promise<Buffer> {
  const session = /x-hoop-session: (\S+)/.exec(answered.toString('latin1'))?.[1] ?? '';
  return vi.waitFor(async () => {
    const [day = ''] = (await readdir(agent.recordings)).filter((name) => /^\d{4}-/.test(name));
    const text = await readFile(join(agent.recordings, day, `${session}.ndjson`));
    expect(text.includes('"type":"seal"')).toBe(true);
    // As a reader of its JSON would see it.
    return Buffer.from(text.toString().replaceAll('\\u0000', ''));
  });
}

/** In whatever way a client would decode it. */
function holds(bytes: Buffer, text: string): boolean {
  return [bytes.toString(), bytes.toString('utf16le'), bytes.subarray(1).toString('utf16le')]
    .concat(bytes.toString().replaceAll('\0', ''), bytes.toString().replaceAll('\\u0040', '@'))
    .concat(Array.from(bytes.toString().matchAll(/"content":"([^"]*)"/g), (match) => match[1]).join(''))
    .some((read) => read.includes(text));
}

describe('an answer that lies about its form', () => {
  it.each([
    '/utf-16-json',
    '/utf-16-text',
    '/utf-16-lines',
    '/utf-16-events',
    '/spaced-charset',
    '/nan',
    '/nan-lines',
    '/nan-text',
    '/nan-events',
    '/json-as-events',
    '/events-as-text',
    '/events-as-json',
    '/events-as-lines',
    '/in-structure',
  ])('%s, shows nothing that is masked', async (path) => {
    const bytes = await bytesOf(path, ['masked']);
    expect(holds(bytes, MAIL)).toBe(false);
  });

  it('has no header whose name is the credential, or someone’s', async () => {
    const head = (await bytesOf('/named', ['masked'])).toString();
    expect(head).toContain('x-told: 1');
    expect(head).not.toMatch(new RegExp(`${KEY}|4111`));
  });

  it('with a body where none should be, is masked all the same', async () => {
    expect((await bytesOf('/205', ['masked'])).toString()).not.toContain(MAIL);
  });

  it('by two content codings, is not given on where a credential could be in it', async () => {
    const bytes = await bytesOf('/two-codings', ['plain']);
    expect(bytes.toString('latin1')).toMatch(/^HTTP\/1\.1 502 /);
  });

  it.each(['plain', 'masked'])(
    'with the credential cut over two events, does not show it to %s callers',
    async (group) => {
      const bytes = await bytesOf('/cut-credential', [group]);
      expect(bytes.toString()).toContain('"content":"it is ');
      expect(bytes.toString()).not.toContain(KEY.slice(12));
      expect((await recorded(bytes)).toString()).not.toContain(KEY.slice(12));
    },
  );

  it.each(['plain', 'watched'])('passes as it is for %s callers, whose answers nothing masks', async (group) => {
    const bytes = await bytesOf('/utf-16-json', [group]);
    expect(holds(bytes, MAIL)).toBe(true);
    expect(holds(await recorded(bytes), MAIL)).toBe(group === 'plain');
  });
});
