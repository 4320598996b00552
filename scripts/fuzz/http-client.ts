import { gzipSync } from 'node:zlib';
import { FORBIDDEN, KEY, type Arrived, type Entrance, type HttpWorld } from './http-world.js';
import { mutated, pieces, type Dice } from './mutation.js';

/** What a request says under each path, with the forbidden words at `@`. */
const REQUESTS: readonly (readonly [connection: string, path: string, type: string, body: string])[] = [
  ['to-openai', '/v1/chat/completions', 'json', '{"model":"m","messages":[{"role":"user","content":"@"}]}'],
  [
    'to-openai',
    '/v1/chat/completions',
    'json',
    '{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"@"}]}],"n":1}',
  ],
  [
    'to-openai',
    '/v1/chat/completions',
    'json',
    '{"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\\"a\\":\\"@\\"}"}}]}]}',
  ],
  [
    'to-openai',
    '/v1/responses',
    'json',
    '{"model":"m","instructions":"@","input":[{"type":"message","role":"user","content":"x"}]}',
  ],
  ['to-openai', '/v1/completions', 'json', '{"model":"m","prompt":["a","@"],"stop":["b"]}'],
  [
    'to-openai',
    '/v1/threads/t/runs/r/submit_tool_outputs',
    'json',
    '{"tool_outputs":[{"tool_call_id":"c","output":"@"}]}',
  ],
  ['to-openai', '/api/chat', 'json', '{"model":"m","messages":[{"role":"user","content":"@"}],"stream":false}'],
  ['to-openai', '/v1/audio/translations', 'form', '@'],
  [
    'to-anthropic',
    '/v1/messages',
    'json',
    '{"model":"m","max_tokens":5,"system":[{"type":"text","text":"@"}],"messages":[]}',
  ],
  [
    'to-anthropic',
    '/v1/messages',
    'json',
    '{"model":"m","messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"@"}]}]}]}',
  ],
  ['to-http', '/orders', 'json', '{"note":{"deep":[1,{"text":"@"}]}}'],
  ['to-http', '/orders', 'text', 'so much for the @, and more'],
  ['to-http', '/orders', 'form', '@'],
];

const TYPES: Readonly<Record<string, readonly string[]>> = {
  json: [
    'application/json',
    'application/json',
    'application/json; charset=utf-8',
    'text/plain',
    '',
    'application/octet-stream',
  ],
  text: ['text/plain', 'text/plain; charset=utf-8', ''],
  form: ['multipart/form-data; boundary=XyZ', 'multipart/form-data; boundary="XyZ"'],
};

/** The words as readers of JSON would still read them. */
function spelled(dice: Dice, json: boolean): string {
  if (!json) return FORBIDDEN;
  return Array.from(FORBIDDEN, (sign) =>
    dice.chance(15) ? `\\u00${sign.charCodeAt(0).toString(16).padStart(2, '0')}` : sign,
  ).join('');
}

function bodyOf(dice: Dice, type: string, pattern: string): Buffer {
  const text = pattern.replace('@', spelled(dice, type === 'json').replaceAll('$', '$$$$'));
  if (type !== 'form') {
    const [before, behind] = dice.chance(85)
      ? ['', '']
      : dice.pick([
          ['\uFEFF', ''],
          [' \n', '\n'],
          ['', '{}'],
          ['', 'x'],
          ['[', ']'],
        ] as const);
    return Buffer.from(before + text + behind, dice.chance(90) ? 'utf8' : 'utf16le');
  }
  const head = dice.pick(['name="prompt"', 'name="file"; filename="a.txt"', 'name=prompt']);
  const line = dice.chance(92) ? '\r\n' : '\n';
  const part = (name: string, said: string): string =>
    ['--XyZ', `Content-Disposition: form-data; ${name}`, '', said, ''].join(line);
  return Buffer.from(`${part('name="model"', 'm')}${part(head, text)}--XyZ--${line}`);
}

/** The bytes of one request, in one of the ways that a request can be framed. */
async function framed(dice: Dice, world: HttpWorld): Promise<{ readonly entrance: Entrance; readonly bytes: Buffer }> {
  const [connection, plainPath, kind, pattern] = dice.pick(REQUESTS);
  const path = dice.chance(85)
    ? plainPath
    : dice.pick([
        `${plainPath}/`,
        plainPath.toUpperCase(),
        `${plainPath}?a=b`,
        `/./${plainPath}`,
        '/for%62idden',
        '/%66orbidden/x',
        '//forbidden',
      ]);
  let body = bodyOf(dice, kind, pattern);
  const entrance = await world.entrance(connection, dice.chance(60));
  const lines = [
    `${dice.pick(['POST', 'POST', 'PUT', 'PATCH'])} ${entrance.base}${path} HTTP/1.1`,
    'host: 127.0.0.1',
    ...entrance.headers,
  ];
  const type = dice.pick(TYPES[kind] ?? ['']);
  if (type !== '') lines.push(`content-type: ${type}`);
  if (dice.chance(10)) {
    body = gzipSync(body);
    lines.push(`content-encoding: ${dice.pick(['gzip', 'x-gzip', 'GZIP', 'br', 'gzip, identity'])}`);
  }
  for (const line of EXTRAS) if (dice.chance(4)) lines.push(line);
  const chunked = dice.chance(30);
  if (chunked) body = Buffer.concat([...pieces(body, dice, 60).map(chunk), Buffer.from('0\r\n\r\n')]);
  lines.push(chunked ? 'transfer-encoding: chunked' : `content-length: ${String(body.length)}`);
  return { entrance, bytes: Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]) };
}

const EXTRAS: readonly string[] = [
  'x-upstream-key: mine',
  'x_upstream_key: mine',
  'x-api-key: mine',
  'content-type: text/plain',
  'content-length: 3',
  'transfer-encoding: chunked',
  'transfer-encoding: identity',
  'connection: x-upstream-key, content-length',
  'expect: 100-continue',
  'upgrade: h2c',
  'x-http-method-override: DELETE',
  'x-forwarded-for: 10.0.0.1',
  'trailer: x-upstream-key',
];

function chunk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

/** A hostile caller with a valid token: what is forbidden may not arrive in any spelling, nor anything of the caller's own. */
export async function fuzzHttpClient(world: HttpWorld, dice: Dice): Promise<void> {
  world.arrived.length = 0;
  const { entrance, bytes } = await framed(dice, world);
  const client = entrance.dial();
  try {
    let sent = bytes;
    for (let count = dice.chance(50) ? 0 : 1 + dice.below(3); count > 0; count -= 1) sent = mutated(sent, dice);
    for (const part of dice.chance(50) ? [sent] : pieces(sent, dice, 300)) client.write(part);
    if (sent === bytes) await client.until(() => client.bytes.includes('HTTP/1.1 '), 'an answer');
    else client.end();
    // What is not over by now is not complete, and never will be.
    if (sent !== bytes) await client.until(() => client.closed, 'the end').catch(() => undefined);
    for (const one of world.arrived) judge(one, world.secrets);
    const same = sent === bytes && !client.closed && !/connection: close/i.test(client.bytes.toString('latin1'));
    const next = same ? client : entrance.dial();
    await world.good(next, entrance);
    next.destroy();
  } finally {
    client.destroy();
  }
}

/** Throws where an upstream that reads as leniently as any would find what should not be there. */
export function judge({ url, headers, body }: Arrived, secrets: readonly string[]): void {
  const complain = (what: string): never => {
    throw new Error(`${what} arrived: ${url} ${JSON.stringify(headers)} ${JSON.stringify(body.toString('latin1'))}`);
  };
  const { 'x-upstream-key': key, ...others } = headers;
  if (key !== KEY) complain('another credential than the stored one');
  if (secrets.some((secret) => JSON.stringify(headers).includes(secret))) complain('the caller’s token');
  for (const name of ['x_upstream_key', 'x-api-key', 'x-http-method-override', 'x-forwarded-for'])
    if (name in others) complain(`a header ${name}`);
  if (!url.startsWith('/base/') || /forbidden/i.test(decoded(url))) complain('a path that is forbidden');
  if (readings(body).some((text) => text.includes(FORBIDDEN))) complain('what is forbidden');
}

function decoded(url: string): string {
  try {
    return decodeURIComponent(url);
  } catch {
    return url;
  }
}

/** All that readers might take a body for. */
function readings(body: Buffer): string[] {
  const texts = [body.toString('utf8'), body.toString('utf16le'), body.toString('latin1').replaceAll('\0', '')];
  return texts.flatMap((text) => [
    text,
    text.replace(/\\u00([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
  ]);
}
