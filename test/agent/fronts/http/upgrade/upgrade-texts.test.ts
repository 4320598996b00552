import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../../../../support/agent.js';
import { open, sealedEvents, SocketUpstream, type Caught } from '../upgrade-world.js';

const upstream = new SocketUpstream();
let agent: TestAgent;

const connection = (name: string, type: string, rest = ''): string => `
apiVersion: hoop/v1
kind: Connection
metadata: { name: ${name} }
spec: { type: ${type}, url: '${upstream.url}', access: { groups: [engineering] }${rest} }
---`;

const mask = (name: string, connections: string, rest: string): string => `
apiVersion: hoop/v1
kind: Policy
metadata: { name: ${name} }
spec:
  match: { connections: ${connections} }
  ${rest}
---`;

beforeAll(async () => {
  await upstream.start();
  agent = await startTestAgent({
    policies:
      connection('llm', 'openai') +
      connection('loose', 'openai', ', uninspected: allow') +
      connection('plain', 'http') +
      connection('watched', 'openai') +
      mask('all', '[llm, loose, plain]', 'mask: [{ name: pii, entities: [email], strategy: redact }]') +
      mask('look', '[watched]', 'mode: observe\n  mask: [{ name: pii, entities: [email], strategy: redact }]'),
  });
}, 60_000);

afterAll(async () => {
  await agent.close();
  upstream.close();
});

async function direct(name: string): Promise<Caught> {
  const url = `${agent.agent.url.replace('http', 'ws')}/c/${name}/sink`;
  return open(url, { headers: { authorization: `Bearer ${await agent.token()}` } });
}

interface RealtimeEvent {
  readonly type: string;
  readonly delta?: string;
  readonly item_id?: string;
}

const delta = (text: string, item = 'item_1', type = 'response.output_text.delta'): string =>
  JSON.stringify({
    type,
    event_id: 'event_7',
    response_id: 'resp_1',
    item_id: item,
    output_index: 0,
    content_index: 0,
    delta: text,
  });
const done = (item = 'item_1'): string =>
  JSON.stringify({
    type: 'response.output_text.done',
    response_id: 'resp_1',
    item_id: item,
    output_index: 0,
    content_index: 0,
    text: 'ann.lee@example.com',
  });

/** Sends all, closes, and tells what the client got. */
async function received(name: string, sent: readonly string[]): Promise<{ events: RealtimeEvent[]; client: Caught }> {
  const client = await direct(name);
  for (const message of sent) upstream.last.send(message);
  upstream.last.close();
  await client.closed;
  return { events: client.messages.map(({ text }) => JSON.parse(text) as RealtimeEvent), client };
}

const textOf = (events: readonly RealtimeEvent[], item: string): string =>
  events.flatMap((event) => (event.item_id === item && event.delta !== undefined ? [event.delta] : [])).join('');

describe('text in pieces, in messages of a WebSocket', () => {
  it.each(['llm', 'plain'])('is masked as one text for each item, however it is split: %s', async (name) => {
    const pieces = [...'to ann.lee@example.com, hi'];
    const { events, client } = await received(name, [
      ...pieces.flatMap((piece) => [delta(piece), delta(piece, 'item_2')]),
      done('item_1'),
      done('item_2'),
    ]);
    expect(textOf(events, 'item_1')).toBe('to [email], hi');
    expect(textOf(events, 'item_2')).toBe('to [email], hi');
    expect(client.messages.map(({ text }) => text).join('')).not.toContain('ann.lee');
    const recorded = await sealedEvents(agent, String(client.headers['x-hoop-session']));
    expect(JSON.stringify(recorded)).not.toMatch(/ann\.lee|"a\\*"/);
    expect(recorded.find(({ type }) => type === 'result')).toMatchObject({ masked: { email: 2 } });
  });

  it('is masked in transcripts and in arguments of tools, which stay JSON', async () => {
    const spoken = [...'mail ann.lee@example.com'].map((one) =>
      delta(one, 'a', 'response.output_audio_transcript.delta'),
    );
    const given = [...'{"to":"ann.lee\\u0040example.com"}'].map((one) =>
      delta(one, 'b', 'response.function_call_arguments.delta'),
    );
    const { events } = await received('llm', [
      ...spoken,
      ...given,
      JSON.stringify({ type: 'response.done', response: {} }),
    ]);
    expect(textOf(events, 'a')).toBe('mail [email]');
    expect(JSON.parse(textOf(events, 'b'))).toEqual({ to: '[email]' });
  });

  it('goes on after an error, which ends no text, and what is held comes before the close frame', async () => {
    const error = JSON.stringify({ type: 'error', event_id: 'e', error: { message: 'no such item' } });
    const { events } = await received('llm', [delta('to ann.lee@'), error, delta('example.com or bob')]);
    expect(textOf(events, 'item_1')).toBe('to [email] or bob');
    expect(events.at(-1)).toMatchObject({ type: 'response.output_text.delta', delta: 'bob' });
  });

  it('is left as it is where masks only observe, and recorded masked', async () => {
    const { events, client } = await received('watched', [delta('to ann.lee'), delta('@example.com '), done()]);
    expect(textOf(events, 'item_1')).toBe('to ann.lee@example.com ');
    const recorded = await sealedEvents(agent, String(client.headers['x-hoop-session']));
    expect(JSON.stringify(recorded)).not.toMatch(/ann\.lee|lee@/);
    expect(JSON.stringify(recorded)).toContain('[email]');
  });

  it('of more texts than are remembered goes on', async () => {
    const many = Array.from({ length: 5_000 }, (_, index) => [
      delta('x', `i${String(index)}`),
      done(`i${String(index)}`),
    ]);
    const { events } = await received('llm', many.flat());
    expect(events.filter(({ type }) => type.endsWith('.delta')).at(-1)).toMatchObject({ item_id: 'i4999', delta: 'x' });
  }, 30_000);
});

describe('what can not be looked at', () => {
  const audio = JSON.stringify({ type: 'response.output_audio.delta', item_id: 'item_1', delta: 'UklGRg==' });

  it('ends the stream with 1008: audio under masks, a message that means two things', async () => {
    for (const message of [audio, `${delta('a').slice(0, -1)},"delta":"b"}`]) {
      const client = await direct('llm');
      upstream.last.send(message);
      expect((await client.closed).code).toBe(1008);
      expect(client.messages).toEqual([]);
    }
  });

  it('passes where the connection says so, and is told', async () => {
    const { client } = await received('loose', [audio]);
    expect(client.messages.map(({ text }) => text)).toEqual([audio]);
    const recorded = await sealedEvents(agent, String(client.headers['x-hoop-session']));
    expect(recorded.find(({ type }) => type === 'result')).toMatchObject({ notInspected: 'audio' });
  });
});
