import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { ChainedEvent, RecordedEvent } from '../../../src/core/events.js';
import { replayText } from '../../../src/recording/reading/replay-text.js';
import type { ReplayTextOptions } from '../../../src/recording/reading/replay-text.js';
import { request, sessionId, start } from '../recorded-session.js';

/** Each event a millisecond after the one before. */
async function* chained(
  events: readonly (RecordedEvent | { type: string; [field: string]: unknown })[],
): AsyncGenerator<ChainedEvent> {
  for (const [index, event] of events.entries()) {
    const at = `2026-11-21T04:30:44.${String(100 + index)}000Z`;
    await Promise.resolve();
    yield { prev: '', hash: '', ...event, seq: index + 1, at };
  }
}

async function transcript(
  events: Parameters<typeof chained>[0],
  options: Omit<ReplayTextOptions, 'write'> = {},
): Promise<string> {
  const lines: string[] = [];
  await replayText(chained(events), { ...options, write: (text) => lines.push(text) });
  return lines.join('\n');
}

describe('a session as text', () => {
  it('counts one statement as one', async () => {
    const text = await transcript([start(), { type: 'session.end', reason: 'client', statements: 1, blocked: 0 }]);
    expect(text).toContain('client: 1 statement, 0 blocked');
  });

  it('tells the steps of an approval that no session records, in one line each', async () => {
    const [request, grant, session] = [sessionId(), sessionId(), sessionId()];
    const about = { statement: 0, request };
    const text = await transcript([
      { ...start(), kind: 'approval' },
      { type: 'statement', statement: 0, text: 'access to shop for 1h', via: 'approval' },
      { type: 'approval.requested', ...about, flow: 'db-access', durationMs: 3_600_000, reason: 'OPS-1 \u001b[2J' },
      { type: 'approval.voted', ...about, by: 'dana', durationMs: 60_000 },
      { type: 'approval.resolved', ...about, outcome: 'approved', by: 'bob', reason: 'go' },
      { type: 'grant.given', ...about, grant, scope: 'connection', expiresAt: '2026-11-21T05:30:00Z' },
      { type: 'grant.ended', ...about, grant, session, state: 'revoked', by: 'dana', reason: 'done' },
      { type: 'approval.reviewed', ...about, verdict: 'objected', by: 'dana' },
      { type: 'session.end', reason: 'done', statements: 0, blocked: 0 },
    ]);
    expect(text).toContain(`waits for approval by db-access, request ${request} for 1h: OPS-1 \\x1b[2J`);
    expect(text).toContain('approved by dana for 1m; others must');
    expect(text).toContain('approved by bob: go');
    expect(text).toContain(`grant ${grant} until 2026-11-21T05:30:00Z`);
    expect(text).toContain(`grant ${grant} revoked by dana: done (session ${session})`);
    expect(text).toContain('break-glass objected by dana');
    expect(text).toMatch(/ended {3}\+0\.008s$/);
  });

  it('says who, what, the verdict, the approval, the rows and how it ended', async () => {
    const session = sessionId();
    const request = sessionId();
    const text = await transcript([
      { ...start(session), correlationId: 'run-7' },
      {
        type: 'statement',
        statement: 1,
        text: 'SELECT name,\n  email FROM customers',
        via: 'execute',
        params: ['7', null],
      },
      { type: 'decision', statement: 1, action: 'allow', rules: [], policyHash: '' },
      {
        type: 'output',
        statement: 1,
        columns: ['name', 'email'],
        rows: [
          ['Ann', 'a***@example.com'],
          ['Ünal', null],
        ],
        totalRows: 5,
      },
      { type: 'result', statement: 1, tag: 'SELECT 5', rows: 5, masked: { email: 4 }, durationMs: 1.5 },
      { type: 'statement', statement: 2, text: 'DELETE FROM customers', via: 'query' },
      { type: 'decision', statement: 2, action: 'block', rules: ['sql/where'], message: 'no where', policyHash: '' },
      { type: 'statement', statement: 3, text: 'UPDATE payments SET paid = true', via: 'query' },
      { type: 'decision', statement: 3, action: 'approve', rules: ['sql/pay'], policyHash: '' },
      { type: 'approval.requested', statement: 3, request, flow: 'dba' },
      {
        type: 'approval.resolved',
        statement: 3,
        request,
        outcome: 'approved',
        by: 'bob@example.com',
        reason: 'ticket 7',
      },
      { type: 'result', statement: 3, error: { code: '23505', message: 'duplicate key' } },
      { type: 'session.end', reason: 'client', statements: 3, blocked: 1 },
      { type: 'seal', keyId: '00aa' },
    ]);
    expect(text).toBe(
      [
        `session    ${session}`,
        'user       ann@example.com (u-1)',
        'groups     engineering',
        'issuer     https://id.example.com',
        'connection postgres (postgres) as hoop_app',
        'client     psql, 127.0.0.1',
        'correlation run-7',
        'started    2026-11-21T04:30:44.100000Z',
        '',
        '#1  +0.001s  execute',
        '  SELECT name,',
        '    email FROM customers',
        '  with $1 = 7, $2 = NULL',
        '  allowed',
        '  │ name │ email',
        '  │ Ann  │ a***@example.com',
        '  │ Ünal │ NULL',
        '  │ … 3 more of 5 rows',
        '  SELECT 5 · 5 rows · masked email 4 · 1.5 ms',
        '',
        '#2  +0.005s',
        '  DELETE FROM customers',
        '  blocked by sql/where: no where',
        '',
        '#3  +0.007s',
        '  UPDATE payments SET paid = true',
        '  held by sql/pay',
        `  waits for approval by dba, request ${request}`,
        '  approved by bob@example.com: ticket 7',
        '  error 23505: duplicate key',
        '',
        'ended   +0.012s  client: 3 statements, 1 blocked',
        'sealed  by key 00aa',
      ].join('\n'),
    );
  });

  it('shows a model call as a conversation, with its tokens, cost, tools and what was not inspected', async () => {
    const [asked, decided, result, output] = request('Who wrote\nthis?');
    const text = await transcript([
      { ...start(), connection: { name: 'openai', type: 'openai', labels: {} }, credential: 'openai-key' },
      asked,
      decided,
      { ...output, text: ['It was\n  allowed', 'Bob'] },
      {
        ...result,
        masked: { email: 2 },
        toolCalls: ['look_up', 'send\u001b[2J'],
        notInspected: 'an image of 512 bytes',
      },
      { type: 'session.end', reason: 'client', statements: 1, blocked: 0 },
    ]);
    expect(text.slice(text.indexOf('#1'))).toBe(
      [
        '#1  +0.001s  POST /v1/chat/completions  gpt-4o-mini, streamed',
        '  user: Who wrote',
        '    this?',
        '  whole request, 81 bytes of application/json:',
        '    {"model":"gpt-4o-mini","messages":[{"role":"user","content":"Who wrote\\nthis?"}]}',
        '  allowed',
        '  assistant 1: It was',
        '      allowed',
        '  assistant 2: Bob',
        '  calls look_up, send\\x1b[2J',
        '  200 · 512 bytes · 12 tokens in, 7 out · $0.0001 · masked email 2 · first byte after 120.25 ms · 300.5 ms',
        '  not inspected: an image of 512 bytes',
        '',
        'ended   +0.005s  client: 1 request, 0 blocked',
      ].join('\n'),
    );
  });

  it('tells what tools gave from what the user says, thoughts from words, and what each tool is called with', async () => {
    const [asked, decided, result, output] = request('found: 3\n  allowed');
    const text = await transcript([
      start(),
      { ...asked, from: 'tool' },
      decided,
      { ...output, text: ['Which one?', 'The third.', ''], thoughts: [0] },
      { ...result, toolCalls: ['Read', 'now'], toolArguments: ['{"path":"a\u001b.txt"}', '', 'left over'] },
    ]);
    const lines = text.slice(text.indexOf('#1')).split('\n');
    expect(lines.slice(1, 3)).toEqual(['  tool: found: 3', '      allowed']);
    expect(lines.slice(6, 11)).toEqual([
      '  thinking: Which one?',
      '  assistant: The third.',
      '  calls Read({"path":"a\\x1b.txt"})',
      '  calls now()',
      '  calls (left over)',
    ]);
  });

  it('says what of the tokens came from a cache or went to one', async () => {
    const [asked, decided, result] = request('Again?');
    const usage = { inputTokens: 12, outputTokens: 7, cachedInputTokens: 8, cacheWriteTokens: 2 };
    const text = await transcript([asked, decided, { ...result, usage }]);
    expect(text).toContain('12 tokens in (8 cached, 2 to the cache), 7 out');
  });

  it('shows a request that was blocked, one that was held, and the messages of an upgraded stream', async () => {
    const blocked = await transcript([
      { type: 'request', statement: 1, method: 'DELETE', path: '/orders/7?force=1', text: 'DELETE /orders/7' },
      {
        type: 'decision',
        statement: 1,
        action: 'block',
        rules: ['crm/no-delete'],
        message: 'ask first',
        policyHash: '',
      },
      { type: 'result', statement: 1, status: 403, error: { code: 'hoop_blocked', message: 'blocked by policy' } },
    ]);
    expect(blocked).toContain(
      '  DELETE /orders/7?force=1\n  blocked by crm/no-delete: ask first\n  403 · error hoop_blocked: blocked by policy\n',
    );
    const held = await transcript([
      { type: 'request', statement: 1, method: 'POST', path: '/pay', text: 'POST /pay', body: 'a=1', bodyBytes: 3 },
      { type: 'decision', statement: 1, action: 'approve', rules: ['crm/pay'], policyHash: '' },
      { type: 'approval.requested', statement: 1, request: 'r-1', flow: 'finance' },
      { type: 'approval.resolved', statement: 1, request: 'r-1', outcome: 'denied', by: 'bob', reason: 'no ticket' },
      { type: 'output', statement: 1, body: '{"ok":true}', bodyBytes: 11, contentType: 'application/json' },
    ]);
    expect(held).toContain(
      '  POST /pay\n  body, 3 bytes:\n    a=1\n  held by crm/pay\n  waits for approval by finance, request r-1\n  denied by bob: no ticket\n  answer, 11 bytes of application/json:\n    {"ok":true}\n',
    );
    const stream = await transcript([
      { type: 'request', statement: 1, method: 'GET', path: '/live', text: 'GET /live' },
      { type: 'output', statement: 1, body: 'hello', bodyBytes: 5, from: 'client' },
      { type: 'output', statement: 1, body: 'x'.repeat(10), bodyBytes: 90_000, from: 'upstream' },
    ]);
    expect(stream).toContain(`  client: hello\n  upstream: ${'x'.repeat(10)} … the whole message has 90000 bytes\n`);
  });

  it('tells a model’s answer once, not by each message of its stream', async () => {
    const piece = (type: string, more: object): { type: string; [field: string]: unknown } => ({
      type: 'output',
      statement: 2,
      from: 'upstream',
      body: JSON.stringify({ type, sequence_number: 1, ...more }),
    });
    const asked = { type: 'request', statement: 2, method: 'GET', path: '/v1/responses', model: 'm', text: 'hi' };
    const pieces = [
      piece('response.created', { response: { id: 'r', status: 'in_progress' } }),
      piece('response.output_text.delta', { delta: 'Good ' }),
      piece('response.output_text.delta', { delta: 'day \u001b[31m' }),
    ];
    const whole = await transcript([
      start(),
      asked,
      ...pieces,
      { type: 'result', statement: 2, durationMs: 1, usage: { inputTokens: 1, outputTokens: 2 } },
      piece('response.completed', { response: { id: 'r', status: 'completed' } }),
      { type: 'output', statement: 2, text: ['Good day'] },
    ]);
    expect(whole).toContain(
      '  user: hi\n  upstream: 3 messages of an answer\n  1 tokens in, 2 out · 1 ms\n  upstream: 1 message of an answer\n  assistant: Good day\n',
    );
    expect(whole).not.toContain('output_text');
    expect(whole).not.toContain('cut off: ');
    const broken = await transcript([
      start(),
      asked,
      ...pieces,
      { type: 'session.end', reason: 'client', statements: 2, blocked: 0 },
    ]);
    expect(broken).toContain('  upstream: 3 messages of an answer\n  assistant, cut off: Good day \\x1b[31m\n\nended');
    const failed = await transcript([
      start(),
      asked,
      piece('response.done', { response: { id: 'r', status: 'failed', status_details: { error: 'no' } } }),
    ]);
    expect(failed).toContain('"status_details"');
  });

  it('says which statement a late answer belongs to, and that no end was recorded', async () => {
    const text = await transcript([
      start(),
      { type: 'statement', statement: 1, text: 'SELECT 1', via: 'query' },
      { type: 'statement', statement: 2, text: 'SELECT 2', via: 'query' },
      { type: 'result', statement: 1, tag: 'SELECT 1' },
    ]);
    expect(text).toContain('#1  +0.003s  goes on\n  SELECT 1\n');
    expect(text).toMatch(/no end recorded/);
  });

  it.each([
    ['UPDATE 1', 0, 'UPDATE 1\n'],
    ['UPDATE 1', 1, 'UPDATE 1 · 1 row\n'],
    ['SELECT 0', 0, 'SELECT 0 · 0 rows\n'],
  ])('tells of %s that gave %d rows back only what it gave', async (tag, rows, told) => {
    const statement = { type: 'statement', statement: 1, text: 'x', via: 'query' };
    expect(await transcript([start(), statement, { type: 'result', statement: 1, tag, rows }])).toContain(`  ${told}`);
  });

  it('shows at most 20 rows, 40 characters of a cell and 4,000 of a text, with the true sizes', async () => {
    const text = await transcript([
      { type: 'statement', statement: 1, text: 'x'.repeat(10_000), via: 'query' },
      {
        type: 'output',
        statement: 1,
        columns: ['c'],
        rows: Array.from({ length: 30 }, () => ['y'.repeat(100)]),
        totalRows: 1_000_000,
      },
    ]);
    expect(text).toContain(`${'x'.repeat(4000)} … (10000 characters)`);
    expect(text.match(/y{39}…/g)).toHaveLength(20);
    expect(text).toContain('… 999980 more of 1000000 rows');
  });

  it('lets nothing act on the terminal, whatever the file holds and of whatever type', async () => {
    const anything = fc.record(
      {
        text: fc.anything(),
        statement: fc.anything(),
        user: fc.anything(),
        columns: fc.anything(),
        rows: fc.anything(),
        params: fc.anything(),
        masked: fc.anything(),
        error: fc.anything(),
        keyId: fc.anything(),
        rules: fc.anything(),
        method: fc.anything(),
        path: fc.anything(),
        model: fc.anything(),
        body: fc.anything(),
        bodyBytes: fc.anything(),
        contentType: fc.anything(),
        from: fc.anything(),
        status: fc.anything(),
        usage: fc.anything(),
        costUsd: fc.anything(),
        toolCalls: fc.anything(),
        notInspected: fc.anything(),
      },
      { requiredKeys: [] },
    );
    const type = fc.constantFrom(
      'session.start',
      'statement',
      'request',
      'decision',
      'output',
      'result',
      'approval.resolved',
      'session.end',
      'seal',
      'x\u001b[2J',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(type, anything), { maxLength: 5 }), async (events) => {
        const text = await transcript(events.map(([name, fields]) => ({ ...fields, type: name })));

        expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
      }),
      // What has no primitive value.
      { examples: [[[['statement', { statement: [{ toString: 0 }] }]]]] },
    );
    const planted = await transcript([
      { type: 'statement', statement: 1, text: 'a\u001b]52;c;x\u0007\r\u202eb', via: '\u001b[31m' },
    ]);
    expect(planted).toContain('a\\x1b]52;c;x\\x07\\r\\u202eb');
    expect(planted).toContain('\\x1b[31m');
  });
});
