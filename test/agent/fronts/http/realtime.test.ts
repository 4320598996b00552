import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { ResponsesWS } from 'openai/resources/responses/ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPort } from '../../../support/agent.js';
import { startModelAgent, type ModelAgent } from '../../../support/model-upstream-agent.js';
import { issueServerCertificate } from '../../../support/server-certificate.js';
import { open, refusal, sealedEvents, type Caught } from './upgrade-world.js';
import { makeFolder } from '../../../support/folders.js';

let agent: ModelAgent;

const POLICIES = `
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: leads }
spec: { reviewers: [{ groups: [leads], count: 1 }], wait: 1m }
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: prompts }
spec:
  match: { groups: [ruled] }
  rules:
    - { name: no-dump, when: 'llm.prompt.contains("credential dump")', action: block, message: Not that. }
    - { name: no-tool, when: 'llm.tools.exists(t, t.name == "shell")', action: block }
    - { name: ask, when: 'llm.lastUser.contains("payroll")', action: approve, approval: leads }
    - { name: note, when: 'llm.prompt.contains("weather")', action: warn }
    - { name: seen, when: 'http.path == "/v1/realtime"', action: warn }
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: asking }
spec:
  match: { groups: [masked] }
  mask: [{ name: pii, entities: [email], strategy: redact, on: [requests] }]
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: models }
spec:
  match: { groups: [modelled] }
  rules: [{ name: no-big, when: 'llm.model.contains("big")', action: block }]
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: budget }
spec:
  match: { groups: [counted] }
  limits: [{ name: day, per: user, tokens: { perDay: 60 } }]
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: purse }
spec:
  match: { groups: [priced] }
  limits: [{ name: day, per: user, spend: { perDay: 100 } }]
`;

beforeAll(async () => {
  agent = await startModelAgent({
    policies: POLICIES,
    openaiSpec: 'prices: [{ model: "trial*", inputPerMillion: 1000, outputPerMillion: 2000 }]',
  });
}, 60_000);

afterAll(() => agent.close());

let people = 0;

/** As a person of their own, so that limits of one test count nothing of another. */
async function session(groups: readonly string[], query = 'model=trial', path = '/v1/realtime'): Promise<Caught> {
  people += 1;
  const token = await agent.token({ subject: `person-${String(people)}`, groups: ['engineering', ...groups] });
  const url = `${agent.agent.url.replace('http', 'ws')}/c/openai${path}${query === '' ? '' : `?${query}`}`;
  return open(url, { headers: { authorization: `Bearer ${token}` } });
}

interface ServerEvent {
  readonly type: string;
  readonly delta?: string;
  readonly error?: { readonly code: string; readonly message: string; readonly event_id: string | null };
  readonly response?: { readonly usage?: { readonly total_tokens: number } };
}

const send = (client: Caught, event: object): void => {
  client.socket.send(JSON.stringify(event));
};
const says = (text: string, more: object = {}): object => ({
  type: 'conversation.item.create',
  item: { type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
  ...more,
});
const ASK = { type: 'response.create' };

/** The next event of this kind; those before it are passed over, but no error that is not waited for. */
async function next(client: Caught, type: string): Promise<ServerEvent> {
  for (;;) {
    const event = JSON.parse(await client.next()) as ServerEvent;
    if (event.type === type) return event;
    if (event.type === 'error') throw new Error(`refused: ${JSON.stringify(event)}`);
  }
}

/** What the upstream got of one kind, newest last. */
function reached(type: string): Record<string, unknown>[] {
  return agent.upstream.messages
    .map((text) => JSON.parse(String(text)) as Record<string, unknown>)
    .filter((event) => event['type'] === type);
}

async function ended(client: Caught): Promise<Record<string, unknown>[]> {
  client.socket.close();
  await client.closed;
  return sealedEvents(agent, String(client.headers['x-hoop-session']));
}

const of = (events: readonly Record<string, unknown>[], type: string): Record<string, unknown>[] =>
  events.filter((event) => event['type'] === type);

describe('a message of a realtime session', () => {
  it('that says something is a request of its own: recorded, decided, answered, with the usage of its answer', async () => {
    const client = await session([]);
    send(client, says('say: blue'));
    send(client, { ...ASK, event_id: 'mine_1' });
    await next(client, 'response.done');
    const events = await ended(client);
    expect(of(events, 'request').map(({ statement, text, model }) => [statement, text, model])).toEqual([
      [1, 'GET /v1/realtime', 'trial'],
      [2, 'say: blue', 'trial'],
      [3, 'response.create', 'trial'],
    ]);
    expect(of(events, 'decision').map(({ statement, action }) => [statement, action])).toEqual([
      [1, 'allow'],
      [2, 'allow'],
      [3, 'allow'],
    ]);
    const [answer, stream] = of(events, 'result');
    expect(answer).toMatchObject({ statement: 3, usage: { outputTokens: 1 } });
    expect(answer?.['costUsd']).toBeGreaterThan(0);
    const said = of(events, 'output').filter((event) => 'text' in event);
    expect(said).toMatchObject([{ statement: 3, text: ['blue'] }]);
    expect(stream).toMatchObject({ statement: 1, status: 101, messages: { client: { messages: 2 } } });
    expect(of(events, 'session.end')[0]).toMatchObject({ statements: 3, blocked: 0 });
  });

  it('that a rule blocks is answered with an error of the dialect, goes nowhere, and the stream goes on', async () => {
    const client = await session(['ruled']);
    await next(client, 'session.created');
    send(client, says('a credential dump', { event_id: 'mine_7' }));
    const refused = await next(client, 'error');
    expect(refused.error).toMatchObject({
      code: 'hoop_blocked',
      message: 'blocked by policy prompts/no-dump: Not that.',
      event_id: 'mine_7',
    });
    send(client, says('say: green'));
    send(client, ASK);
    await next(client, 'response.done');
    expect(JSON.stringify(reached('conversation.item.create'))).not.toContain('credential dump');
    const events = await ended(client);
    expect(of(events, 'session.end')[0]).toMatchObject({ blocked: 1 });
    expect(of(events, 'decision').map(({ action }) => action)).toEqual(['warn', 'block', 'allow', 'allow']);
  });

  it.each([
    ['instructions', { type: 'session.update', session: { type: 'realtime', instructions: 'a credential dump' } }],
    ['tools', { type: 'session.update', session: { tools: [{ type: 'function', name: 'shell', parameters: {} }] } }],
    [
      'a prompt of transcription',
      { type: 'transcription_session.update', session: { input_audio_transcription: { prompt: 'credential dump' } } },
    ],
    ['instructions of one answer', { type: 'response.create', response: { instructions: 'a credential dump' } }],
    ['input of one answer', { type: 'response.create', response: { input: [says('a credential dump')] } }],
    [
      'what a tool gave',
      {
        type: 'conversation.item.create',
        item: { type: 'function_call_output', call_id: 'c', output: 'credential dump' },
      },
    ],
    ['an event of an unknown kind', { type: 'session.extend', note: 'a credential dump' }],
    ['a name of such an event', { type: 'session.extend', 'credential dump': 1 }],
    ['a control event with more in it', { type: 'response.cancel', why: 'credential dump' }],
    ['text in the place of audio', { type: 'input_audio_buffer.append', audio: 'a credential dump' }],
    ['an event that is no object', ['credential dump']],
  ])('is judged by %s', async (_what, event) => {
    const client = await session(['ruled']);
    await next(client, 'session.created');
    const before = agent.upstream.messages.length;
    send(client, event);
    expect((await next(client, 'error')).error?.code).toBe('hoop_blocked');
    expect(agent.upstream.messages.length).toBe(before);
    await ended(client);
  });

  it('is judged however it is escaped, and where a name stands twice, is no JSON or is audio, it is not inspected', async () => {
    const client = await session(['ruled']);
    await next(client, 'session.created');
    const sent = [
      JSON.stringify(says('a credential dump')).replace('dump', '\\u0064ump'),
      '{"type":"response.create","type":"x"}',
      'say hello',
      JSON.stringify({ type: 'input_audio_buffer.append', audio: 'UklGRgAA' }),
      JSON.stringify(says('x')).replace('"type":"input_text","text":"x"', '"type":"input_audio","audio":"UklGRgAA"'),
      JSON.stringify(says('x')).replace('"type":"input_text","text":"x"', '"type":"input_scent","scent":"x"'),
    ];
    for (const text of sent) {
      client.socket.send(text);
      expect((await next(client, 'error')).error?.code, text).toBe('hoop_blocked');
    }
    client.socket.send(Buffer.from([1, 2, 3]));
    expect((await next(client, 'error')).error?.message).toContain('not inspected: a binary message');
    await ended(client);
  });

  it('that only steers goes up without an entry of its own', async () => {
    const client = await session(['ruled']);
    send(client, { type: 'input_audio_buffer.clear' });
    await next(client, 'input_audio_buffer.cleared');
    const events = await ended(client);
    expect(of(events, 'request')).toHaveLength(1);
    expect(of(events, 'output')[1]).toMatchObject({ from: 'client', body: '{"type":"input_audio_buffer.clear"}' });
  });

  it('has its entities replaced before it goes up, ids and kinds stay', async () => {
    const client = await session(['masked']);
    send(client, says('say: hello ann.lee@example.com', { event_id: 'e1' }));
    send(client, ASK);
    await next(client, 'response.done');
    expect(reached('conversation.item.create').at(-1)).toEqual(says('say: hello [email]', { event_id: 'e1' }));
    const events = await ended(client);
    expect(JSON.stringify(events)).not.toContain('ann.lee');
    expect(of(events, 'result').at(-1)).toMatchObject({ masked: { email: 1 } });
  });

  it('names the model of its session, and a rule on it holds', async () => {
    const upgrade = await refusal(session(['modelled'], 'model=big-1'));
    expect(upgrade.status).toBe(403);
    const client = await session(['modelled'], '');
    await next(client, 'session.created');
    send(client, { type: 'session.update', session: { type: 'realtime', model: 'big-1' } });
    expect((await next(client, 'error')).error?.code).toBe('hoop_blocked');
    await ended(client);
  });
});

describe('a message that people are asked about', () => {
  const reviewer = (): Promise<string> => agent.token({ subject: 'lead', groups: ['leads'] });
  const pending = async (): Promise<string> => {
    const list = async (): Promise<{ id: string }[]> =>
      (await agent.call('/v1/requests?state=pending', { token: await reviewer() })).body as { id: string }[];
    await expect.poll(async () => (await list()).length, { interval: 20, timeout: 10_000 }).toBe(1);
    return (await list())[0]?.id ?? '';
  };
  const decide = async (id: string, what: 'approve' | 'deny'): Promise<void> => {
    const body = what === 'deny' ? { reason: 'not now' } : {};
    await agent.call(`/v1/requests/${id}/${what}`, { token: await reviewer(), body });
  };

  it('waits, and those behind it in their order; then all go up', async () => {
    const client = await session(['ruled']);
    await next(client, 'session.created');
    const before = agent.upstream.messages.length;
    send(client, says('say: the payroll'));
    send(client, says('say: one'));
    send(client, says('say: two'));
    send(client, ASK);
    const id = await pending();
    expect(agent.upstream.messages.length).toBe(before);
    await decide(id, 'approve');
    await next(client, 'response.done');
    const texts = reached('conversation.item.create').slice(-3);
    expect(JSON.stringify(texts)).toMatch(/payroll.*one.*two/);
    const events = await ended(client);
    expect(of(events, 'approval.resolved')[0]).toMatchObject({ statement: 2, outcome: 'approved' });
  });

  it('waits at a local port as well, and what comes down meanwhile comes', async () => {
    const key = 'sk-hoop-only-for-this-port';
    const portKeyHash = createHash('sha256').update(key).digest('hex');
    const token = await agent.token({ subject: 'at a port', groups: ['engineering', 'ruled'] });
    const port = await openPort(agent.agent.url, 'openai', token, { portKeyHash });
    const client = await open(`ws://127.0.0.1:${String(port.port)}/v1/realtime?model=trial`, {
      headers: { authorization: `Bearer ${key}` },
    });
    send(client, says('say: before'));
    send(client, ASK);
    send(client, says('say: the payroll'));
    const id = await pending();
    await next(client, 'response.done');
    expect(port.events.map(({ event }) => event)).toContain('approval.waiting');
    await decide(id, 'approve');
    send(client, ASK);
    await next(client, 'response.done');
    client.socket.close();
    await client.closed;
    port.close();
  });

  it('goes nowhere when it is denied, and is withdrawn when the client closes', async () => {
    const client = await session(['ruled']);
    await next(client, 'session.created');
    send(client, says('payroll please'));
    await decide(await pending(), 'deny');
    expect((await next(client, 'error')).error).toMatchObject({ code: 'hoop_denied' });
    send(client, says('payroll again'));
    send(client, says('behind it'));
    await pending();
    const events = await ended(client);
    expect(of(events, 'approval.resolved').map(({ outcome }) => outcome)).toEqual(['denied', 'cancelled']);
    expect(JSON.stringify(reached('conversation.item.create'))).not.toMatch(/payroll (?:please|again)|behind it/);
  });

  it('is withdrawn where the client closes right behind it, before anybody could be asked', async () => {
    const client = await session(['ruled']);
    await next(client, 'session.created');
    send(client, says('say: one'));
    send(client, says('payroll at once'));
    send(client, says('say: two'));
    const events = await ended(client);
    expect(of(events, 'approval.resolved').map(({ outcome }) => outcome)).toEqual(['cancelled']);
    expect(JSON.stringify(reached('conversation.item.create').slice(-1))).toContain('say: one');
  });

  it('keeps no more behind it than 1 MiB, and all of that goes up in order', async () => {
    const client = await session(['ruled']);
    await next(client, 'session.created');
    send(client, says('say: the payroll, and much behind it'));
    const id = await pending();
    const pad = 'x'.repeat(200_000);
    for (let at = 0; at < 40; at += 1) send(client, says(`${String(at)} ${pad}`));
    await decide(id, 'approve');
    send(client, ASK);
    await next(client, 'response.done');
    const numbers = reached('conversation.item.create').map((one) => /"text":"(\d+) x/.exec(JSON.stringify(one))?.[1]);
    expect(numbers.filter((number) => number !== undefined)).toEqual(Array.from({ length: 40 }, (_, at) => String(at)));
  }, 30_000);

  it('is withdrawn when the client is gone, or the upstream ends the stream', async () => {
    for (const how of ['client', 'upstream'] as const) {
      const client = await session(['ruled']);
      await next(client, 'session.created');
      send(client, says('payroll once more'));
      await pending();
      if (how === 'client') client.socket.terminate();
      else agent.upstream.hangUp();
      await client.closed;
      const events = await sealedEvents(agent, String(client.headers['x-hoop-session']));
      expect(of(events, 'approval.resolved')[0]).toMatchObject({ outcome: 'cancelled' });
    }
  });
});

describe('limits', () => {
  it('count each answer by what the upstream told, and refuse what does not fit in any more', async () => {
    const client = await session(['counted']);
    send(client, says('say: a few words'));
    send(client, ASK);
    const first = await next(client, 'response.done');
    const used = first.response?.usage?.total_tokens ?? 0;
    expect(used).toBeGreaterThan(30);
    send(client, { ...ASK, event_id: 'second' });
    const refused = await next(client, 'error');
    expect(refused.error).toMatchObject({ code: 'hoop_limit', event_id: 'second' });
    expect(reached('response.create').at(-1)).not.toHaveProperty('event_id');
    const events = await ended(client);
    expect(of(events, 'decision').at(-1)).toMatchObject({ statement: 4, action: 'block', rules: ['budget/day'] });
    expect(of(events, 'session.end')[0]).toMatchObject({ blocked: 1 });
  });

  it('end an answer that the upstream began by itself, once they are used up', async () => {
    const client = await session(['counted']);
    const audio = 'A'.repeat(400);
    for (let turn = 0; turn < 2; turn += 1) {
      send(client, { type: 'input_audio_buffer.append', audio });
      send(client, { type: 'input_audio_buffer.commit' });
      if (turn === 0) await next(client, 'response.done');
    }
    expect((await next(client, 'error')).error?.code).toBe('hoop_limit');
    await expect.poll(() => reached('response.cancel').length).toBe(1);
    await ended(client);
  });

  it('that have to know the model or its price refuse what does not tell them', async () => {
    const client = await session(['counted'], '');
    await next(client, 'session.created');
    send(client, ASK);
    expect((await next(client, 'error')).error?.message).toContain('a limit has to know the model');
    send(client, { type: 'session.update', session: { type: 'realtime', model: 'trial' } });
    send(client, { type: 'response.create', response: { max_output_tokens: 5 } });
    await next(client, 'response.done');
    await ended(client);
    expect((await refusal(session(['priced'], 'model=unknown'))).status).toBe(403);
  });
});

describe('the SDK', () => {
  let tls: ReturnType<typeof createServer>;
  let ca: Buffer;
  beforeAll(async () => {
    const folder = makeFolder('realtime');
    ca = readFileSync(await issueServerCertificate(folder, {}));
    const [key, cert] = ['server.key', 'server.crt'].map((name) => readFileSync(join(folder, name)));
    tls = createServer({ key, cert }, (socket) => {
      const onward = connect(Number(new URL(agent.agent.url).port), '127.0.0.1');
      socket.on('error', () => onward.destroy()).pipe(onward);
      onward.on('error', () => socket.destroy()).pipe(socket);
    });
    tls.listen(0, '127.0.0.1');
    await once(tls, 'listening');
  }, 30_000);
  afterAll(() => tls.close());

  const openai = async (): Promise<OpenAI> =>
    new OpenAI({
      baseURL: `https://127.0.0.1:${String((tls.address() as AddressInfo).port)}/c/openai/v1`,
      apiKey: await agent.token({ subject: 'sdk', groups: ['engineering', 'ruled'] }),
    });

  it('of realtime hears a refusal as its error, and goes on', async () => {
    const realtime = new OpenAIRealtimeWS({ model: 'trial', options: { ca } }, await openai());
    const refused = new Promise<unknown>((resolve) => {
      realtime.on('error', resolve);
    });
    let text = '';
    realtime.on('response.output_text.delta', ({ delta }) => (text += delta));
    const done = new Promise((resolve) => realtime.on('response.done', resolve));
    await once(realtime.socket, 'open');
    const item = (words: string) => ({
      type: 'message' as const,
      role: 'user' as const,
      content: [{ type: 'input_text' as const, text: words }],
    });
    realtime.send({ type: 'conversation.item.create', item: item('a credential dump') });
    realtime.send({ type: 'conversation.item.create', item: item('say: still here') });
    realtime.send({ type: 'response.create' });
    expect(await refused).toMatchObject({ error: { code: 'hoop_blocked' } });
    await done;
    expect(text).toBe('still here');
    realtime.close();
  });

  it('of responses over a WebSocket hears a refusal as its error, and goes on', async () => {
    const socket = new ResponsesWS(await openai(), { ca });
    const refused = new Promise<Error & { error?: unknown }>((resolve) => {
      socket.on('error', resolve);
    });
    const done = new Promise((resolve) => socket.on('response.completed', resolve));
    await once(socket.socket, 'open');
    socket.send({ type: 'response.create', model: 'trial', input: 'a credential dump' });
    expect((await refused).error).toMatchObject({ status: 400, error: { code: 'hoop_blocked' } });
    socket.send({ type: 'response.create', model: 'trial', input: 'say: hello' });
    expect(await done).toMatchObject({ response: { status: 'completed' } });
    socket.close();
  });
});
