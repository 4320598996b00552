import { frameOf, OPCODE } from '../../src/agent/fronts/http/upgrade/upgrade-frames.js';
import type { FuzzClient } from './fuzz-client.js';
import { judge } from './http-client.js';
import { told } from './http-upstream.js';
import { KEY, PLANTED, type Entrance, type HttpWorld } from './http-world.js';
import { mutated, pieces, type Dice } from './mutation.js';

const HANDSHAKE = [
  'host: 127.0.0.1',
  'connection: Upgrade',
  'upgrade: websocket',
  'sec-websocket-version: 13',
  'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
];

/** One message, in one frame or in several. */
function message(dice: Dice, text: string, mask: boolean): Buffer {
  const bytes = Buffer.from(text);
  if (dice.chance(70)) return Buffer.concat(frameOf(dice.chance(95) ? OPCODE.text : OPCODE.binary, bytes, mask));
  const parts = pieces(bytes, dice, 12);
  return Buffer.concat(
    parts.flatMap((part, index) => {
      const frame = frameOf(index === 0 ? OPCODE.text : 0, Buffer.from(part), mask);
      const first = frame[0];
      // Only the last part says that it is the last.
      if (first !== undefined && index < parts.length - 1) first[0] = (first[0] ?? 0) & 0x7f;
      const ping = dice.chance(10) ? frameOf(OPCODE.ping, Buffer.from(PLANTED), mask) : [];
      return [...ping, ...frame];
    }),
  );
}

const delta = (dice: Dice, text: string): string[] => {
  const type = dice.pick(['response.output_text.delta', 'response.text.delta', 'response.audio_transcript.delta']);
  const place = { response_id: 'r', item_id: dice.pick(['i', 'j']), output_index: 0, content_index: 0 };
  return pieces(Buffer.from(text), dice, 6).map((piece) =>
    JSON.stringify({ type, event_id: 'e', ...place, delta: String(piece) }),
  );
};

/** What an upstream may say in messages, with the planted value whole or in pieces of a way that is known. */
function saying(dice: Dice): string[] {
  const done = JSON.stringify({ type: 'response.done', response: { id: 'r', output: [{ text: PLANTED }] } });
  return dice.pick<() => string[]>([
    () => [...delta(dice, `write to ${PLANTED} now`), done],
    () => [...delta(dice, PLANTED), JSON.stringify({ type: 'error', error: { message: PLANTED } })],
    () => told(dice).map((response) => JSON.stringify({ model: 'm', response, done: false })),
    () => [`{"a":"${PLANTED}"}`, `to ${PLANTED}`, `{"key":"${KEY}"}`],
    () => [`{"a":"${PLANTED.replace('@', '\\u0040')}"}`, PLANTED.replace('@', '&#64;')],
  ])();
}

/** Asks for an upgrade; false where it is refused. */
async function opened(client: FuzzClient, { base, headers }: Entrance, extra: readonly string[]): Promise<boolean> {
  const lines = [`GET ${base}/socket HTTP/1.1`, ...HANDSHAKE, ...headers, ...extra];
  client.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`));
  await client.until(() => client.bytes.includes('\r\n\r\n'), 'an answer to the upgrade');
  return client.bytes.toString('latin1').startsWith('HTTP/1.1 101');
}

/** A hostile caller on a WebSocket: nothing that is masked on requests goes up, nor anything of the caller's own. */
export async function fuzzSocketClient(world: HttpWorld, dice: Dice): Promise<void> {
  world.arrived.length = 0;
  world.messages.length = 0;
  const entrance = await world.entrance('asking-http', dice.chance(60));
  const client = entrance.dial();
  try {
    const texts = [`{"to":"${PLANTED}"}`, `to ${PLANTED}`, `{"to":["${PLANTED.replace('@', '\\u0040')}"]}`];
    const extra = dice.chance(30)
      ? [dice.pick(['x-upstream-key: mine', 'x_upstream_key: mine', 'x-api-key: mine'])]
      : [];
    const plain = Buffer.concat([
      ...texts.slice(dice.below(3)).map((text) => message(dice, text, true)),
      ...frameOf(OPCODE.close, Buffer.from([0x03, 0xe8]), true),
    ]);
    let sent: Buffer = plain;
    for (let count = dice.chance(40) ? 0 : 1 + dice.below(3); count > 0; count -= 1) sent = mutated(sent, dice);
    if (await opened(client, entrance, extra)) {
      for (const part of dice.chance(50) ? [sent] : pieces(sent, dice, 40)) client.write(part);
      if (sent !== plain) client.end();
      await client.until(() => client.closed, 'the end of a WebSocket');
    }
    for (const one of world.arrived) judge(one, world.secrets);
    const found = world.messages.find((one) => hides(textsOf(one)));
    if (found !== undefined) throw new Error(`a planted value went up: ${JSON.stringify(found.toString('latin1'))}`);
  } finally {
    client.destroy();
  }
  const next = entrance.dial();
  await world.good(next, entrance);
  next.destroy();
}

/** A hostile upstream of a WebSocket: nothing that is masked, and nothing of the credential, comes down, in pieces neither. */
export async function fuzzSocketUpstream(world: HttpWorld, dice: Dice): Promise<void> {
  const frames = saying(dice).map((text) => message(dice, text, false));
  const reason = Buffer.concat([Buffer.from([0x03, 0xe8]), Buffer.from(dice.chance(30) ? PLANTED : 'bye')]);
  if (dice.chance(80)) frames.push(Buffer.concat(frameOf(OPCODE.close, reason, false)));
  let bytes: Buffer = Buffer.concat(frames);
  for (let count = dice.chance(40) ? 0 : 1 + dice.below(3); count > 0; count -= 1) bytes = mutated(bytes, dice);
  world.answer = pieces(bytes, dice, dice.pick([10, 100, 4_000]));
  const entrance = await world.entrance(dice.pick(['of-http', 'of-openai']), dice.chance(60));
  const client = entrance.dial();
  try {
    if (!(await opened(client, entrance, []))) throw new Error(`no upgrade: ${client.bytes.toString('latin1')}`);
    await client.until(() => client.closed || closing(client.bytes), 'the end of a WebSocket');
    const messages = framesIn(client.bytes);
    if (hides([...messages.flatMap(textsOf), client.bytes.toString('latin1'), ...assembled(messages)]))
      throw new Error(
        `a planted value came down: ${JSON.stringify(messages.map(String))} of ${JSON.stringify(bytes.toString('latin1'))}`,
      );
  } finally {
    client.destroy();
  }
  const next = entrance.dial();
  await world.good(next, entrance);
  next.destroy();
}

const hides = (texts: readonly string[]): boolean => texts.some((text) => text.includes(PLANTED) || text.includes(KEY));

/** All that a reader might take a message for. */
function textsOf(bytes: Buffer): string[] {
  // UTF-8 always: nobody takes it for anything else.
  const text = bytes.toString();
  return [
    text,
    text.replaceAll('&#64;', '@'),
    // Of what is no JSON from its first character on nobody undoes escapes, and `\U` is none.
    /^\s*[[{"]/.test(text)
      ? text.replace(/\\u00([0-7][0-9a-fA-F])/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
      : '',
  ];
}

/** Messages behind the 101, fragments joined; control frames are messages too. */
function framesIn(all: Buffer): Buffer[] {
  const bytes = all.subarray(all.indexOf('\r\n\r\n') + 4);
  const messages: Buffer[] = [];
  let open = Buffer.alloc(0);
  for (let at = 0; at + 2 <= bytes.length;) {
    const short = (bytes[at + 1] ?? 0) & 0x7f;
    const from = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
    if (from > bytes.length) break;
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
    const payload = bytes.subarray(from, from + length);
    const opcode = (bytes[at] ?? 0) & 0x0f;
    if (opcode >= 8) messages.push(payload);
    else {
      open = Buffer.concat([open, payload]);
      if (((bytes[at] ?? 0) & 0x80) !== 0) {
        messages.push(open);
        open = Buffer.alloc(0);
      }
    }
    at = from + length;
  }
  return [...messages, open];
}

function closing(all: Buffer): boolean {
  const head = all.indexOf('\r\n\r\n');
  return all.subarray(head + 4).includes(Buffer.from([0x80 | OPCODE.close]));
}

/** The texts that clients put together of messages. */
function assembled(messages: readonly Buffer[]): string[] {
  const texts = new Map<string, string>();
  for (const bytes of messages) {
    try {
      const one = JSON.parse(bytes.toString()) as Readonly<Record<string, unknown>>;
      const [key, piece] =
        typeof one['delta'] === 'string'
          ? [`${String(one['type'])} ${String(one['item_id'])}`, one['delta']]
          : // Of a message that is no line of a model it is not known that it goes on.
            ['l', typeof one['model'] === 'string' && typeof one['done'] === 'boolean' ? one['response'] : undefined];
      if (typeof piece === 'string') texts.set(key, (texts.get(key) ?? '') + piece);
    } catch {
      // No JSON holds no piece.
    }
  }
  return [...texts.values()];
}
