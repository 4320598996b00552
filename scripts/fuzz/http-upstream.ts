import { brotliCompressSync, brotliDecompressSync, deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { KEY, PLANTED, type HttpWorld } from './http-world.js';
import { mutated, pieces, type Dice } from './mutation.js';

/** A text with the planted value in it, cut into pieces as a model would. */
export function told(dice: Dice): string[] {
  const text = dice.pick([`write to ${PLANTED} now`, PLANTED, `${PLANTED}, ${PLANTED}`, `x ${PLANTED}`]);
  return pieces(Buffer.from(text), dice, dice.pick([1, 6, 40])).map(String);
}

const events = (list: readonly unknown[], line = '\n'): string =>
  list.map((one) => `data: ${JSON.stringify(one)}${line}${line}`).join('');

function chatStream(dice: Dice): string {
  const chunks = told(dice).map((content) => ({ choices: [{ index: 0, delta: { content }, finish_reason: null }] }));
  const second = dice.chance(40) ? told(dice).map((content) => ({ choices: [{ index: 1, delta: { content } }] })) : [];
  const calls = dice.chance(40)
    ? told(dice).map((piece) => ({
        choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: piece } }] } }],
      }))
    : [];
  const end = [{ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }];
  return `${events([...chunks, ...second, ...calls, ...end], dice.pick(['\n', '\r\n', '\r']))}data: [DONE]\n\n`;
}

function messageStream(dice: Dice): string {
  const type = dice.pick(['text', 'thinking']);
  return events([
    { type: 'message_start', message: { usage: { input_tokens: 1 } } },
    { type: 'content_block_start', index: 0, content_block: { type, [type]: '' } },
    ...told(dice).map((piece) => ({
      type: 'content_block_delta',
      index: 0,
      delta: { type: `${type}_delta`, [type]: piece },
    })),
    { type: 'content_block_stop', index: 0 },
    { type: 'message_stop' },
  ]);
}

function responseStream(dice: Dice): string {
  const place = { item_id: 'i', output_index: 0, content_index: 0 };
  const deltas = told(dice).map((delta) => ({ type: 'response.output_text.delta', ...place, delta }));
  return events([...deltas, { type: 'response.output_text.done', ...place, text: PLANTED }]);
}

function lineStream(dice: Dice): string {
  const chat = dice.chance(50);
  const inside = (text: string): object => (chat ? { message: { content: text } } : { response: text });
  return [...told(dice), '']
    .map((text, index, all) => ({ model: 'm', ...inside(text), done: index === all.length - 1 }))
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');
}

const wordy = (dice: Dice): string => {
  const words = `{"a":"${PLANTED}","n":[1,{"b":"x ${PLANTED}"}],"${PLANTED}":null}`;
  return dice.chance(50) ? words : words.replaceAll('@', '\\u0040').replaceAll('k', '\\u006b');
};

type Make = (dice: Dice) => string;
const BODIES: readonly (readonly [connection: string, path: string, type: string, make: Make])[] = [
  ['of-openai', '/v1/chat/completions', 'text/event-stream', chatStream],
  ['of-openai', '/v1/responses', 'text/event-stream', responseStream],
  ['of-openai', '/v1/embeddings', 'application/json', wordy],
  ['of-anthropic', '/v1/messages', 'text/event-stream', messageStream],
  ['of-anthropic', '/v1/messages', 'application/json', wordy],
  ['of-http', '/stream', 'text/event-stream', chatStream],
  ['of-http', '/a', 'application/json', wordy],
  ['of-http', '/a', 'application/x-ndjson', (dice) => `${wordy(dice)}\n${wordy(dice)}\n`],
  ['of-openai', '/api/chat', 'application/x-ndjson', lineStream],
  ['of-http', '/api/generate', 'application/x-ndjson', lineStream],
  ['of-http', '/a', 'application/json-seq', (dice) => `\x1e${wordy(dice)}\n\x1e${lineStream(dice)}`],
  ['of-http', '/a', 'text/plain', (dice) => told(dice).join('')],
  ['of-http', '/a', 'text/html', (dice) => `<p title="${PLANTED}">${told(dice).join('')}</p>`],
  ['of-http', '/a', 'application/octet-stream', wordy],
];

const STATUSES = [
  '200 OK',
  '200 OK',
  '200 OK',
  '201 Created',
  '205 Reset',
  '302 Found',
  '400 Bad',
  '401 No',
  '429 Slow',
  '500 Oh',
];
const CODINGS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: (bytes) => gzipSync(bytes),
  br: (bytes) => brotliCompressSync(bytes),
  deflate: (bytes) => deflateSync(bytes),
};

/** A whole answer, told as HTTP, and spoilt. */
function answerOf(dice: Dice, type: string, text: string): Buffer {
  let body = Buffer.from(text, dice.chance(93) ? 'utf8' : 'utf16le');
  const headers = [
    `content-type: ${dice.chance(85) ? type : dice.pick(['text/plain', 'application/json', 'text/event-stream', '', `${type}; charset=utf-16`])}`,
  ];
  if (dice.chance(30)) {
    const coding = dice.pick(Object.keys(CODINGS));
    body = (CODINGS[coding] as (bytes: Buffer) => Buffer)(body) as Buffer<ArrayBuffer>;
    headers.push(
      `content-encoding: ${dice.chance(80) ? coding : dice.pick(['gzip', 'identity', `${coding}, identity`, 'zstd'])}`,
    );
    if (dice.chance(10)) headers.push('content-encoding: identity');
  }
  for (const [name, value] of EXTRAS) if (dice.chance(10)) headers.push(`${name}: ${value}`);
  const chunked = dice.chance(40);
  headers.push(
    chunked ? 'transfer-encoding: chunked' : `content-length: ${String(body.length + (dice.chance(5) ? 7 : 0))}`,
  );
  if (chunked) {
    const parts = pieces(body, dice, 90).map((part) => [`${part.length.toString(16)}\r\n`, part, '\r\n']);
    body = Buffer.concat(
      [...parts.flat(), `0\r\n${dice.chance(20) ? `x-late: ${PLANTED}\r\n` : ''}\r\n`].map((one) =>
        Buffer.from(one as string),
      ),
    );
  }
  const early = dice.chance(10) ? `HTTP/1.1 103 Early\r\nlink: <${PLANTED}>\r\n\r\n` : '';
  return Buffer.concat([
    Buffer.from(`${early}HTTP/1.1 ${dice.pick(STATUSES)}\r\n${headers.join('\r\n')}\r\n\r\n`),
    body,
  ]);
}

const EXTRAS: readonly (readonly [string, string])[] = [
  ['x-owner', PLANTED],
  ['set-cookie', `who=${PLANTED}; Path=/`],
  ['location', `/user?mail=${PLANTED}`],
  ['x-echo', KEY],
  ['trailer', 'x-late'],
  ['connection', 'close'],
  ['link', `<mailto:${PLANTED}>`],
];

/** A hostile upstream: nothing of what is masked, and nothing of the credential, comes down in any reading. */
export async function fuzzHttpUpstream(world: HttpWorld, dice: Dice): Promise<void> {
  const [connection, path, type, make] = dice.pick(BODIES);
  const said = make(dice);
  const text = dice.chance(80) ? said : said.replace('"', `"the key is ${KEY} `);
  let bytes = answerOf(dice, type, text);
  for (let count = dice.chance(40) ? 0 : 1 + dice.below(3); count > 0; count -= 1) bytes = mutated(bytes, dice);
  world.answer = pieces(bytes, dice, dice.pick([40, 400, 4_000]));
  const body = path === '/a' || path === '/stream' ? '{}' : '{"model":"m","stream":true,"messages":[]}';
  const entrance = await world.entrance(connection, dice.chance(60));
  const client = entrance.dial();
  try {
    client.write(
      Buffer.from(
        `POST ${entrance.base}${path} HTTP/1.1\r\n${['host: 127.0.0.1', ...entrance.headers].join('\r\n')}\r\naccept-encoding: gzip, br, deflate\r\n` +
          `content-type: application/json\r\ncontent-length: ${String(body.length)}\r\n` +
          `connection: close\r\n\r\n${body}`,
      ),
    );
    await client.until(() => client.closed, 'the end of an answer');
    judge(client.bytes);
  } finally {
    client.destroy();
  }
  const next = entrance.dial();
  await world.good(next, entrance);
  next.destroy();
}

function judge(bytes: Buffer): void {
  const found = readings(bytes).find((text) => text.includes(PLANTED) || text.includes(KEY));
  if (found === undefined) return;
  throw new Error(
    `a planted value came down: ${JSON.stringify(found.slice(0, 4_000))} of ${JSON.stringify(bytes.toString('latin1'))}`,
  );
}

/** All that clients might take an answer for. */
function readings(bytes: Buffer): string[] {
  const head = bytes.indexOf('\r\n\r\n');
  const raw = bytes.subarray(head + 4);
  const chunked = /transfer-encoding: chunked/i.test(bytes.subarray(0, head).toString('latin1'));
  const body = chunked ? dechunked(raw) : raw;
  // Nobody undoes a coding that is not told, but for the one that can be seen.
  const told = /content-encoding:/i.test(bytes.subarray(0, head).toString('latin1'));
  const codings = [gunzipSync, ...(told ? [brotliDecompressSync, inflateSync] : [])];
  const bodies = [body, ...codings.flatMap((undo) => undone(undo, body))];
  const texts = bodies.flatMap((one) => [
    one.toString(),
    one.toString('utf16le'),
    one.subarray(1).toString('utf16le'),
    one.toString('latin1').replaceAll('\0', ''),
  ]);
  return [
    bytes.toString(),
    ...texts,
    // Of what is no JSON from its first character on nobody undoes escapes.
    ...texts
      .filter((text) => /^\s*(?:[[{"]|data:|event:)/.test(text))
      .map((text) =>
        text.replace(/\\u00([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
      ),
    ...texts.flatMap(assembled),
  ];
}

function undone(undo: (bytes: Buffer) => Buffer, bytes: Buffer): Buffer[] {
  try {
    return [undo(bytes)];
  } catch {
    return [];
  }
}

function dechunked(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const line = bytes.indexOf('\r\n', at);
    const size = line < 0 ? 0 : parseInt(bytes.subarray(at, line).toString('latin1'), 16);
    if (!(size > 0)) break;
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
  return Buffer.concat(parts);
}

/** The texts that SDKs put together of an event stream. */
function assembled(text: string): string[] {
  const texts = new Map<string, string>();
  const add = (key: string, piece: unknown): void => {
    if (typeof piece === 'string') texts.set(key, (texts.get(key) ?? '') + piece);
  };
  for (const line of text.replaceAll('\x1e', '').split('\n')) {
    const one = parsed(line) as (Event & { response?: unknown; message?: { content?: unknown } }) | undefined;
    // Readers of lines give up at one that is no JSON.
    if (one === undefined && line.trim() !== '') break;
    if (typeof one?.done !== 'boolean' || typeof one.model !== 'string') continue;
    add('l', one.response ?? one.message?.content);
    // What goes on behind it is another text.
    if (one.done === true) add('l', '\n');
  }
  for (const event of text.split(/\r\n\r\n|\n\n|\r\r/)) {
    const data = event
      .split(/\r\n|\n|\r/)
      .flatMap((line) => (line.startsWith('data:') ? [line.slice(5)] : []))
      .join('\n');
    const one = parsed(data);
    for (const choice of Array.isArray(one?.choices) ? (one.choices as Chunk[]) : []) {
      add(`c${String(choice?.index)}`, choice?.delta?.content);
      for (const call of Array.isArray(choice?.delta?.tool_calls) ? choice.delta.tool_calls : [])
        add(`t${String(choice?.index)}.${String(call?.index)}`, call?.function?.arguments);
    }
    if (one?.type === 'content_block_delta')
      for (const name of ['text', 'thinking'])
        add(`b${String(one.index)}${name}`, (one.delta as Record<string, unknown>)?.[name]);
    if (one?.type === 'response.output_text.delta')
      add(`r${JSON.stringify([one.item_id, one.output_index, one.content_index])}`, one.delta);
  }
  return [...texts.values()];
}

interface Event {
  choices?: unknown;
  type?: unknown;
  index?: unknown;
  delta?: unknown;
  item_id?: unknown;
  output_index?: unknown;
  content_index?: unknown;
  model?: unknown;
  done?: unknown;
}

type Chunk = {
  index?: unknown;
  delta?: { content?: unknown; tool_calls?: { index?: unknown; function?: { arguments?: unknown } }[] };
} | null;

function parsed(data: string): Event | undefined {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
