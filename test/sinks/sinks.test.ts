import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { ApprovalFlowResource, SinkResource } from '../../src/core/resources.js';
import { retryPause } from '../../src/core/retry-pause.js';
import { Sinks } from '../../src/sinks/sinks.js';
import { flow } from '../approvals/desk.js';
import { issueServerCertificate } from '../support/server-certificate.js';
import { sinkEvent, startReceiver } from './events.js';
import { until } from '../support/until.js';
import { makeFolder } from '../support/folders.js';

const root = makeFolder('sinks');
const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

const NOW_MS = 1_764_000_000_000;
const common = { events: ['*'], queueBytes: 1_000_000 };

async function sinksOf(
  resources: readonly SinkResource[],
  options: { dir?: string; flows?: readonly ApprovalFlowResource[] } = {},
) {
  const warnings: string[] = [];
  const dir = options.dir ?? mkdtempSync(join(root, 'queues-'));
  const sinks = new Sinks({
    dir,
    nowMs: () => NOW_MS,
    // The shortest pause.
    random: () => 1,
    reveal: (reference) =>
      Promise.resolve('env' in reference ? `${reference.prefix ?? ''}value of ${reference.env}` : ''),
    info: (message) => warnings.push(message),
    warn: (message) => warnings.push(message),
  });
  await sinks.configure(resources, options.flows ?? []);
  ending.push(() => sinks.close(0));
  return { sinks, warnings, dir };
}

async function receiver() {
  const started = await startReceiver();
  ending.push(() => started.close());
  return started;
}

const webhook = (url: string, more: Partial<SinkResource> = {}): SinkResource =>
  ({ ...common, name: 'hook', type: 'webhook', url, secret: { env: 'KEY' }, headers: {}, ...more }) as SinkResource;

describe('a webhook', () => {
  it('is posted each event, signed over time and body', async () => {
    const { url, received } = await receiver();
    const headers = { 'x-team': { env: 'TEAM' } };
    const { sinks } = await sinksOf([webhook(`${url}/hoop?key=1`, { headers })]);
    sinks.accept(sinkEvent('e-1'), []);
    const [first] = await until('the event', () => received.length > 0 && received);
    expect(first?.path).toBe('/hoop?key=1');
    expect(JSON.parse(first?.body ?? '')).toEqual(sinkEvent('e-1'));
    expect(first?.headers).toMatchObject({
      'content-type': 'application/json',
      'x-hoop-event': 'approval.requested',
      'x-hoop-delivery': 'e-1',
      'x-hoop-timestamp': '1764000000',
      'x-team': 'value of TEAM',
    });
    const expected = createHmac('sha256', 'value of KEY')
      .update(`1764000000.${first?.body ?? ''}`)
      .digest('hex');
    expect(first?.headers['x-hoop-signature']).toBe(`v1=${expected}`);
  });

  it('is tried again until it takes the event, in order, and says so once each', async () => {
    const { url, received, state } = await receiver();
    state.status = 503;
    const { sinks, warnings } = await sinksOf([webhook(url)]);
    sinks.accept(sinkEvent('e-1'), []);
    sinks.accept(sinkEvent('e-2'), []);
    await until('two attempts', () => received.length >= 2);
    state.status = 200;
    await until('both', () => sinks.figures()[0]?.delivered === 2);
    const ids = received.map(({ headers }) => headers['x-hoop-delivery']);
    expect(ids.slice(0, 2)).toEqual(['e-1', 'e-1']);
    expect(ids.at(-1)).toBe('e-2');
    expect(warnings).toEqual([
      'sink hook: 1 attempts failed, the last: answered with status 503; it is tried again',
      'sink hook: delivers again',
    ]);
  });

  it('does not hold up the others with one that it will never take', async () => {
    const { url, received, state } = await receiver();
    state.status = 422;
    state.answer = 'SELECT secret words of the other end';
    const { sinks, warnings } = await sinksOf([webhook(url)]);
    sinks.accept(sinkEvent('e-1'), []);
    await until('refused', () => sinks.figures()[0]?.refused === 1);
    state.status = 200;
    sinks.accept(sinkEvent('e-2'), []);
    await until('the next', () => sinks.figures()[0]?.delivered === 1);
    expect(received).toHaveLength(2);
    expect(warnings).toEqual(['sink hook: not taken for good, so put aside: e-1 (answered with status 422)']);
  });

  it('gets after a restart what was not taken before it', async () => {
    const { url, received, state } = await receiver();
    state.status = 500;
    const { sinks, dir } = await sinksOf([webhook(url)]);
    sinks.accept(sinkEvent('e-1'), []);
    await until('an attempt', () => received.length > 0);
    sinks.accept(sinkEvent('e-2'), []);
    await sinks.close(0);
    state.status = 200;
    received.length = 0;
    await sinksOf([webhook(url)], { dir });
    await until('both', () => received.length === 2);
    expect(received.map(({ headers }) => headers['x-hoop-delivery'])).toEqual(['e-1', 'e-2']);
  });

  it('follows no redirect, since the signature would follow it', async () => {
    const [{ url, state }, elsewhere] = [await receiver(), await receiver()];
    state.status = 307;
    state.headers = { location: elsewhere.url };
    const { sinks } = await sinksOf([webhook(url)]);
    sinks.accept(sinkEvent('e-1'), []);
    await until('a failure', () => sinks.figures()[0]?.failed === 1);
    expect(elsewhere.received).toEqual([]);
  });
});

describe('what goes to which sink', () => {
  it('is what its events meet, and the requests of flows that name it', async () => {
    const { url, received } = await receiver();
    const all = webhook(`${url}/all`, { name: 'all', events: ['decision.*'] });
    const named = webhook(`${url}/named`, { name: 'named', events: [] });
    const flows = [flow('dba-review', { notify: ['named'] }), flow('other')];
    const { sinks } = await sinksOf([all, named], { flows });
    expect(sinks.wants('decision.block')).toBe(true);
    expect(sinks.wants('approval.voted')).toBe(true);
    expect(sinks.wants('session.start')).toBe(false);
    sinks.accept(sinkEvent('e-1'), ['other']);
    sinks.accept(sinkEvent('e-2'), ['dba-review']);
    sinks.accept(sinkEvent('e-3', { type: 'decision.block' }), []);
    await until('both', () => received.length === 2);
    await sinks.close(1_000);
    expect(received.map(({ path, headers }) => `${path} ${String(headers['x-hoop-delivery'])}`).sort()).toEqual([
      '/all e-3',
      '/named e-2',
    ]);
  });

  it('changes with a reload: a sink that is gone keeps what waits until it is back', async () => {
    const { url, received, state } = await receiver();
    state.status = 500;
    const { sinks } = await sinksOf([webhook(url)]);
    sinks.accept(sinkEvent('e-1'), []);
    await until('an attempt', () => received.length > 0);
    await sinks.configure([], []);
    expect(sinks.wants('approval.requested')).toBe(false);
    state.status = 200;
    await sinks.configure([webhook(url)], []);
    await until('it', () => sinks.figures()[0]?.delivered === 1);
  });
});

describe('Slack and Teams', () => {
  const hostile = sinkEvent('e-1', {
    query_info: { query_string: '``` <!channel> <https://evil.example|click> & \u202e' },
    unmapped: { request: 'r-1', reason: '*now* @here <@U1> [x](https://evil.example)' },
  });

  it('are told what to type, and take nothing of a requester for a mention, a link or the end of a block', async () => {
    const { url, received } = await receiver();
    const { sinks } = await sinksOf([
      { ...common, name: 'slack', type: 'slack', url: `${url}/slack` },
      { ...common, name: 'teams', type: 'teams', url: `${url}/teams` },
    ]);
    sinks.accept(hostile, []);
    await until('both', () => received.length === 2);
    const slack = received.find(({ path }) => path === '/slack')?.body ?? '';
    expect(slack).toContain('hoop approve r-1');
    expect(slack).not.toContain('\u202e');
    const { blocks } = JSON.parse(slack) as { blocks: { text?: { type: string; text: string } }[] };
    const marked = blocks.flatMap(({ text }) => (text?.type === 'mrkdwn' ? [text.text] : []));
    expect(marked).toHaveLength(2);
    for (const text of marked) {
      expect(text.slice(3, -3)).not.toContain('```');
      expect(text).not.toMatch(/<[!@h]/);
    }
    const teams = received.find(({ path }) => path === '/teams')?.body ?? '';
    expect(teams).toContain('hoop approve r-1');
    expect(teams).not.toContain('"TextBlock"');
    expect(JSON.parse(teams)).toMatchObject({
      type: 'message',
      attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content: { type: 'AdaptiveCard' } }],
    });
  });

  it('wait as long as they are told to', async () => {
    const { url, received, state } = await receiver();
    state.status = 429;
    state.headers = { 'retry-after': '60' };
    const { sinks } = await sinksOf([{ ...common, name: 'slack', type: 'slack', url }]);
    sinks.accept(hostile, []);
    await until('an attempt', () => sinks.figures()[0]?.failed === 1);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(received).toHaveLength(1);
  });
});

describe('a file', () => {
  it('has an event a line, is put aside when it is full, and keeps so many', async () => {
    const path = join(mkdtempSync(join(root, 'file-')), 'log', 'events.ndjson');
    const { sinks } = await sinksOf([{ ...common, name: 'file', type: 'file', path, maxBytes: 1_000, keep: 2 }]);
    for (let number = 1; number <= 8; number += 1) {
      sinks.accept(sinkEvent(`e-${String(number)}`), []);
      await until('it', () => sinks.figures()[0]?.delivered === number);
    }
    expect(readdirSync(join(path, '..')).sort()).toEqual(['events.ndjson', 'events.ndjson.1', 'events.ndjson.2']);
    const last = readFileSync(path, 'utf8').trim().split('\n');
    expect(JSON.parse(last.at(-1) ?? '')).toEqual(sinkEvent('e-8'));
  });
});

describe('syslog', () => {
  async function collector() {
    const folder = mkdtempSync(join(root, 'tls-'));
    const ca = await issueServerCertificate(folder, {});
    let text = Buffer.alloc(0);
    const sockets = new Set<{ destroy(): void }>();
    const server: Server = createServer(
      { cert: readFileSync(join(folder, 'server.crt')), key: readFileSync(join(folder, 'server.key')) },
      (socket) => {
        sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('data', (chunk: Buffer) => {
          text = Buffer.concat([text, chunk]);
        });
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ending.push(() => {
      for (const socket of sockets) socket.destroy();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    });
    /** By the lengths before them. */
    const messages = (): string[] => {
      const found: string[] = [];
      let rest = text;
      for (let space = rest.indexOf(' '); space > 0; space = rest.indexOf(' ')) {
        const length = Number(rest.subarray(0, space).toString());
        if (rest.length < space + 1 + length) break;
        found.push(rest.subarray(space + 1, space + 1 + length).toString());
        rest = rest.subarray(space + 1 + length);
      }
      return found;
    };
    return {
      ca,
      port: (server.address() as AddressInfo).port,
      messages,
      cut: () => sockets.forEach((one) => one.destroy()),
    };
  }

  it('goes over TLS with the length before each message, also after the connection broke', async () => {
    const { ca, port, messages, cut } = await collector();
    const { sinks } = await sinksOf([{ ...common, name: 'log', type: 'syslog', host: '127.0.0.1', port, ca }]);
    sinks.accept(sinkEvent('e-1', { message: 'naïve' }), []);
    sinks.accept(sinkEvent('e-2'), []);
    await until('both', () => messages().length === 2);
    expect(messages()[0]).toMatch(/^<109>1 2025-11-24T16:00:00\.000Z \S+ hoop \d+ approval\.requested - \ufeff\{/);
    cut();
    await until('the third', () => {
      sinks.accept(sinkEvent('e-3'), []);
      return messages().some((message) => message.includes('"e-3"'));
    });
  });

  it('sends nothing to a server whose certificate nobody vouches for', async () => {
    const { port, messages } = await collector();
    const { sinks, warnings } = await sinksOf([{ ...common, name: 'log', type: 'syslog', host: '127.0.0.1', port }]);
    sinks.accept(sinkEvent('e-1'), []);
    await until('a failure', () => warnings.length > 0);
    expect(messages()).toEqual([]);
  });
});

describe('OTLP', () => {
  it('gets logs with the names of the data model', async () => {
    const { url, received, state } = await receiver();
    state.answer = '{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"x"}}';
    const headers = { authorization: { env: 'TOKEN', prefix: 'Bearer ' } };
    const { sinks, warnings } = await sinksOf([
      { ...common, name: 'otlp', type: 'otlp', url: `${url}/otel/`, headers },
    ]);
    sinks.accept(sinkEvent('e-1'), []);
    const [first] = await until('the logs', () => received.length > 0 && received);
    expect(first?.path).toBe('/otel/v1/logs');
    expect(first?.headers.authorization).toBe('Bearer value of TOKEN');
    const { resourceLogs } = JSON.parse(first?.body ?? '') as {
      resourceLogs: { scopeLogs: { logRecords: { attributes: unknown[] }[] }[] }[];
    };
    const record = resourceLogs[0]?.scopeLogs[0]?.logRecords[0];
    expect(record).toMatchObject({
      timeUnixNano: '1764000000000000000',
      severityNumber: 10,
      eventName: 'approval.requested',
      body: { stringValue: 'alice@example.com asks for approval of a statement on postgres' },
    });
    expect(record?.attributes).toContainEqual({ key: 'class_uid', value: { intValue: '6005' } });
    await until('the warning', () => warnings.length > 0);
    expect(warnings).toEqual(['sink otlp: the collector took the logs without 1 of them']);
  });
});

describe('the pause between attempts', () => {
  it('doubles up to five minutes, less up to half of it by chance', () => {
    expect([1, 2, 3].map((failures) => retryPause(failures, 0))).toEqual([1_000, 2_000, 4_000]);
    expect(retryPause(4_000, 0)).toBe(300_000);
    expect(retryPause(1, 0.999)).toBeGreaterThan(500);
  });
});
