import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPort, startTestAgent, type TestAgent } from '../../../support/agent.js';
import { rawExchange, startRawUpstream, type RawMessage, type RawUpstream } from '../../../support/raw-http.js';

/** One request, and the bytes that the upstream answers with; `{base}` and `{own}` differ from way to way. */
interface Case {
  readonly name: string;
  readonly method?: string;
  readonly target?: string;
  readonly headers?: readonly string[];
  readonly body?: Buffer | string;
  readonly answer: Buffer;
  readonly closes?: true;
  /** A mask has to change it: no ranges, no coding. */
  readonly unmasked?: true;
}

const TEXT = 'hello world, nothing of anybody is in here. '.repeat(200);
const JSON_TEXT = '{ "b" : 1.10, "a":1e5, "a": 12345678901234567890,\n "u":"\\u00e9\\/"}';
const EVENTS = ': hi\n\nevent: x\r\ndata: {"a": 1.0}\r\nid: 5\r\n\r\nretry: 5\n\n';
const CHUNKS = 'transfer-encoding: chunked';

function answer(line: string, headers: readonly string[], body: Buffer | string = '', length = true): Buffer {
  const bytes = Buffer.from(body);
  const told = length ? [`content-length: ${String(bytes.length)}`] : [];
  return Buffer.concat([Buffer.from([`HTTP/1.1 ${line}`, ...headers, ...told, '', ''].join('\r\n'), 'latin1'), bytes]);
}

const ok = (headers: readonly string[], body: Buffer | string = '', length = true): Buffer =>
  answer('200 OK', headers, body, length);

const many = (count: number, value = 'v'): string[] =>
  Array.from({ length: count }, (_, index) => `x-h${String(index)}: ${value}`);

const PLAIN = 'content-type: text/plain';

const ANSWERS: readonly Case[] = [
  {
    name: 'with every header that is not for one hop',
    answer: ok(
      [
        ...[PLAIN, 'date: Tue, 01 Jan 2030 00:00:00 GMT', 'set-cookie: a=b', 'set-cookie: c=d; HttpOnly', 'x-dup: 1'],
        ...['x-dup: 2', 'x-empty:', 'x-latin: \xe9', 'etag: "x"', 'via: 1.1 up', 'server: s', 'vary: accept, origin'],
        ...['link: </a>; rel=x', 'cache-control: max-age=1', 'warning: 1', 'access-control-allow-origin: *'],
        ...['strict-transport-security: max-age=1', 'content-disposition: attachment; filename="a.txt"', 'age: 0'],
      ],
      TEXT,
    ),
  },
  { name: 'with words of its own behind the status', answer: answer('299 Very Fine', [PLAIN], 'x') },
  { name: 'with a status that nobody has named', answer: answer('599 Odd', []) },
  {
    name: 'in chunks',
    answer: Buffer.concat([ok([PLAIN, CHUNKS], '', false), Buffer.from('3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n')]),
  },
  { name: 'that ends with the connection', answer: ok([PLAIN, 'connection: close'], TEXT, false), closes: true },
  { name: 'to HEAD', method: 'HEAD', answer: ok([PLAIN, 'content-length: 5000', 'etag: "x"'], '', false) },
  { name: '204', answer: answer('204 No Content', ['x: y'], '', false) },
  { name: '304 with a length', answer: answer('304 Not Modified', ['etag: "x"', 'content-length: 700'], '', false) },
  { name: '205', answer: answer('205 Reset Content', []) },
  {
    name: '200 to OPTIONS, of no bytes and a type of files',
    method: 'OPTIONS',
    answer: ok(['content-type: httpd/unix-directory', 'dav: 1,2']),
  },
  {
    name: '206 of a range',
    headers: ['range: bytes=1-3', 'if-range: "x"'],
    answer: answer('206 Partial Content', [PLAIN, 'content-range: bytes 1-3/10'], 'abc'),
    unmasked: true,
  },
  { name: '416', headers: ['range: bytes=90-'], answer: answer('416 Range Not Satisfiable', []), unmasked: true },
  { name: '302 elsewhere', answer: answer('302 Found', ['location: https://other.example/x?y#z']) },
  {
    name: '400 in JSON',
    answer: answer('400 Bad Request', ['content-type: application/json'], '{"error": {"message":"x"}}'),
  },
  {
    name: '401 with two challenges',
    answer: answer('401 Unauthorized', ['www-authenticate: Basic realm="x"', 'www-authenticate: Bearer'], 'no'),
  },
  { name: '500 in HTML', answer: answer('500 Internal Server Error', ['content-type: text/html'], '<h1>Oops</h1>') },
  { name: 'without a type', answer: ok([], 'abc') },
  { name: 'of no bytes', answer: ok([PLAIN]) },
  { name: 'of no bytes that says JSON', answer: ok(['content-type: application/json']) },
  {
    name: 'of bytes that are no text',
    answer: ok(['content-type: application/octet-stream'], Buffer.from([0, 255, 1])),
    unmasked: true,
  },
  { name: 'in JSON as it is written', answer: ok(['content-type: application/json'], JSON_TEXT) },
  { name: 'in events as they are written', answer: ok(['content-type: text/event-stream'], EVENTS) },
  {
    name: 'in gzip',
    headers: ['accept-encoding: gzip'],
    answer: ok([PLAIN, 'content-encoding: gzip'], gzipSync(TEXT)),
    unmasked: true,
  },
  {
    name: 'in br',
    headers: ['accept-encoding: br'],
    answer: ok([PLAIN, 'content-encoding: br'], brotliCompressSync(TEXT)),
    unmasked: true,
  },
  {
    name: 'in deflate',
    headers: ['accept-encoding: deflate'],
    answer: ok([PLAIN, 'content-encoding: deflate'], deflateSync(TEXT)),
    unmasked: true,
  },
  { name: 'with 1,000 headers', answer: ok(many(1_000), 'k') },
  { name: 'with 60,000 bytes of headers', answer: ok(many(15, 'v'.repeat(4_000)), 'k') },
];

const REQUESTS: readonly Case[] = [
  {
    name: 'with every header that is not for one hop',
    headers: [
      ...['x-case: MiXed', 'accept: */*', 'cookie: a=b; c=d', 'user-agent: foo', 'referer: http://x/', 'dnt: 1'],
      ...[
        'x-empty:',
        'x-latin: \xe9',
        'x-dup: 1',
        'x-dup: 2',
        'if-match: "a"',
        'pragma: no-cache',
        'accept-language: en',
      ],
    ],
    answer: ok([], 'k'),
  },
  { name: 'with 90 headers', headers: many(90), answer: ok([], 'k') },
  { name: 'with a query of 12,000 characters', target: `/a?${'x'.repeat(12_000)}`, answer: ok([], 'k') },
  {
    name: 'with an odd query',
    target: '/a:b@c,d+e!$&\'()*=~%20%C3%A9|x?q=a;b&c=%2F//..%00[]{}"<>`^',
    answer: ok([], 'k'),
  },
  { name: 'with a slash at the end', target: '/a/', answer: ok([], 'k') },
  ...['POST', 'PUT', 'PATCH', 'DELETE', 'GET'].map((method) => ({
    name: `${method} with a body as it is written`,
    method,
    headers: ['content-type: application/json'],
    body: JSON_TEXT.replace('"a":1e5, ', ''),
    answer: ok([], 'k'),
  })),
  ...['OPTIONS', 'PROPFIND', 'PURGE'].map((method) => ({ name: method, method, answer: ok(['allow: GET']) })),
  { name: 'POST of no bytes', method: 'POST', body: '', answer: ok([], 'k') },
  {
    name: 'POST in gzip',
    method: 'POST',
    headers: ['content-encoding: gzip'],
    body: gzipSync('x'),
    answer: ok([], 'k'),
    unmasked: true,
  },
  { name: 'PUT of 3 MB, with its length', method: 'PUT', body: 'x'.repeat(3_000_000), answer: ok([], 'k') },
];

let upstream: RawUpstream;
let agent: TestAgent;
/** Direct, and each way through hoop: where it goes, below which path, as whom. */
let ways: Map<string, { readonly port: number; readonly base: string; readonly key: string }>;
const closing: (() => void)[] = [];

beforeAll(async () => {
  upstream = await startRawUpstream();
  agent = await startTestAgent({
    policies: `${['plain', 'judged', 'models']
      .map(
        (name) => `apiVersion: hoop/v1
kind: Connection
metadata: { name: ${name} }
spec: { type: ${name === 'models' ? 'openai' : 'http'}, url: 'http://127.0.0.1:${String(upstream.port)}', access: { groups: ['*'] } }
`,
      )
      .join('---\n')}---
apiVersion: hoop/v1
kind: Policy
metadata: { name: personal-data }
spec:
  match: { connections: [judged] }
  rules: [{ name: no-dumps, when: 'http.body.contains("begin rsa private key")', action: block }]
  mask: [{ name: pii, entities: [email, credit-card, us-ssn, phone, iban], strategy: partial }]
`,
  });
  const token = await agent.token();
  const agentPort = Number(new URL(agent.agent.url).port);
  ways = new Map([
    ['direct', { port: upstream.port, base: '', key: '' }],
    ['at the agent', { port: agentPort, base: '/c/plain', key: token }],
    ['at the agent, of a model API', { port: agentPort, base: '/c/models', key: token }],
    ['at the agent, judged and masked', { port: agentPort, base: '/c/judged', key: token }],
  ]);
  for (const name of ['plain', 'judged']) {
    const opened = await openPort(agent.agent.url, name, token);
    closing.push(() => {
      opened.close();
    });
    ways.set(`at a local port to ${name}`, { port: opened.port, base: '', key: '' });
  }
});

afterAll(async () => {
  for (const close of closing) close();
  await agent.close();
  upstream.close();
});

/** For one hop, of the way alone, or how the body is framed; docs/connections.md names them. */
const OF_THE_WAY =
  /^(?:host|connection|keep-alive|transfer-encoding|content-length|authorization|x-hoop-session|date): /;

function shown(message: RawMessage | undefined): unknown {
  if (message === undefined) return undefined;
  const { line, headers, body } = message;
  return {
    line,
    // The order in which names came says nothing; that of values of one name does.
    headers: headers
      .filter((text) => !OF_THE_WAY.test(text) || text === 'date: Tue, 01 Jan 2030 00:00:00 GMT')
      .sort((left, right) => ((left.split(':')[0] ?? '') < (right.split(':')[0] ?? '') ? -1 : 1)),
    body: body.toString('latin1'),
  };
}

async function through(way: string, { method = 'GET', target = '/a', headers = [], body, ...rest }: Case) {
  const { port, base, key } = ways.get(way) ?? { port: 0, base: '', key: '' };
  const own = [`host: 127.0.0.1:${String(port)}`, ...(key === '' ? [] : [`authorization: Bearer ${key}`])];
  const length = body === undefined ? [] : [`content-length: ${String(Buffer.byteLength(body))}`];
  const head = [`${method} ${base}${target} HTTP/1.1`, ...own, ...headers, ...length, '', ''].join('\r\n');
  upstream.seen.length = 0;
  upstream.answer = rest.answer;
  upstream.closes = rest.closes ?? false;
  const [got] = await rawExchange(port, Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body ?? '')]));
  const [seen] = upstream.seen;
  const arrived = seen && { ...seen, line: seen.line.replace(base, '') };
  const told = seen?.headers.find((text) => text.startsWith('content-length: '));
  return { arrived: shown(arrived), told, got: shown(got) };
}

describe.each([
  ...ANSWERS.map((one) => ['an answer', one] as const),
  ...REQUESTS.map((one) => ['a request', one] as const),
])('%s', (_kind, one) => {
  it(`${one.name} is on every way what it is direct`, async () => {
    const direct = await through('direct', one);
    expect(direct.got).toBeDefined();
    for (const way of ways.keys()) {
      if (way === 'direct' || (one.unmasked === true && way.includes('judged'))) continue;
      const { arrived, told, got } = await through(way, one);
      expect([way, arrived], way).toEqual([way, direct.arrived]);
      expect([way, got], way).toEqual([way, direct.got]);
      // Some servers refuse a body that does not say how long it is.
      if (one.body !== undefined) expect(told).toBe(direct.told);
    }
  });
});

describe('requests on one connection', () => {
  it('are answered in order where they are sent before the first answer came, and as HTTP/1.0', async () => {
    upstream.answer = ok([PLAIN], 'abc');
    upstream.closes = false;
    const { port } = ways.get('at a local port to plain') ?? { port: 0 };
    const request = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${String(port)}\r\n\r\n`;
    upstream.seen.length = 0;
    const answers = await rawExchange(port, Buffer.from(request('/1') + request('/2') + request('/3')), 3);
    expect(answers.map(({ line, body }) => `${line} ${String(body)}`)).toEqual(Array(3).fill('200 OK abc'));
    // Safe requests may go up side by side (RFC 9112, 9.3.2): answers alone have an order.
    expect(upstream.seen.map(({ line }) => line).sort()).toEqual(
      ['/1', '/2', '/3'].map((path) => `GET ${path} HTTP/1.1`),
    );
    const [old] = await rawExchange(port, Buffer.from(`GET / HTTP/1.0\r\nhost: 127.0.0.1:${String(port)}\r\n\r\n`));
    expect(String(old?.body)).toBe('abc');
  });
});
