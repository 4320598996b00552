// What `hoop replay` shows of a database session and of a conversation with a model, recorded for this page.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RecordedEvent } from '../../src/core/events.js';
import { Bench, request, sessionId, start } from '../../test/recording/recorded-session.js';
import { buildCli } from '../../test/support/built-cli.js';
import { Terminal } from '../../test/support/terminal.js';

const PATIENCE_S = 60;
const MODEL = {
  connection: { name: 'openai', type: 'openai', labels: { env: 'prod' } },
  credential: 'openai-key',
  client: { application: 'OpenAI/Python 2.1', address: '127.0.0.1' },
};
const HASH = 'ab'.repeat(32);
const asked = (statement: number, text: string): RecordedEvent => ({
  type: 'statement',
  statement,
  text,
  via: 'query',
});
const decided = (
  statement: number,
  action: 'allow' | 'block' | 'approve',
  rules: readonly string[] = [],
  message?: string,
): RecordedEvent => ({
  ...{ type: 'decision', statement, action, rules, policyHash: HASH },
  ...(message === undefined ? {} : { message }),
});

const SQL: readonly RecordedEvent[] = [
  asked(1, "SELECT id, name, email\n  FROM customers\n WHERE city = 'Lisbon'"),
  decided(1, 'allow'),
  {
    ...{ type: 'output', statement: 1, columns: ['id', 'name', 'email'], totalRows: 3 },
    rows: [
      ['1', 'Ana Lima', '*****@example.com'],
      ['2', 'Rui Costa', '*****@example.com'],
      ['3', '李小龍', null],
    ],
  },
  { type: 'result', statement: 1, tag: 'SELECT 3', rows: 3, bytes: 150, masked: { email: 2 }, durationMs: 3.2 },
  asked(2, 'DELETE FROM customers'),
  decided(2, 'block', ['production-sql/where-required'], 'A DELETE needs a WHERE.'),
  asked(3, 'UPDATE payments SET amount = 12.50 WHERE id = 17'),
  decided(3, 'approve', ['production-sql/payments-writes']),
  { type: 'approval.requested', statement: 3, request: '01a0c450-6c02-7202-8202-020202020202', flow: 'dba-review' },
  {
    ...{ type: 'approval.resolved', statement: 3, request: '01a0c450-6c02-7202-8202-020202020202' },
    ...{ outcome: 'approved', by: 'dana@example.com', reason: 'order 7 was charged twice' },
  },
  { type: 'result', statement: 3, tag: 'UPDATE 1', rows: 1, durationMs: 4.2 },
  { type: 'session.end', reason: 'client', statements: 3, blocked: 1 },
];

function conversation(): readonly RecordedEvent[] {
  const [question, verdict, result] = request(
    'Which customers of Lisbon have paid twice? Ask as [email] if you need to.',
  );
  const said =
    'Two of them:\n\n1. Ana Lima, orders 7 and 9\n2. Rui Costa, order 12\n\nShall I write to *****@example.com?';
  const body = 'data: {"choices":[{"delta":{"content":"Two of them: …"}}]}\n\ndata: [DONE]\n\n';
  const answer = {
    type: 'output',
    statement: 1,
    body,
    bodyBytes: body.length,
    contentType: 'text/event-stream',
  } as const;
  return [
    ...[
      question,
      verdict,
      { ...answer, text: [said] },
      { ...result, masked: { email: 2 }, toolCalls: ['list_payments'] },
    ],
    { type: 'session.end', reason: 'client', statements: 1, blocked: 0 },
  ] as RecordedEvent[];
}

async function recorded(bench: Bench, type: 'postgres' | 'openai', events: readonly RecordedEvent[]): Promise<string> {
  const recordings = bench.open();
  const session = sessionId();
  const recorder = recordings.open({ ...start(session), ...(type === 'openai' ? MODEL : {}) });
  for (const event of events.slice(0, -1)) recorder.record(event);
  await recorder.seal(events.at(-1) as Extract<RecordedEvent, { type: 'session.end' }>);
  await recordings.close();
  return bench.path(session);
}

/** Each with what it shows. */
export async function replayScreens(): Promise<readonly (readonly [string, string])[]> {
  await buildCli();
  const bench = new Bench();
  const folder = mkdtempSync(join(tmpdir(), 'hoop-screens-'));
  const terminals: Terminal[] = [];
  const open = (path: string, rows: number): Terminal => {
    const env = { HOOP_CONFIG_DIR: folder, CI: 'false', NO_COLOR: '1' };
    const terminal = new Terminal(`${process.execPath} bin/run.js replay ${path}`, { columns: 100, rows, env });
    terminals.push(terminal);
    return terminal;
  };
  try {
    const sql = open(await recorded(bench, 'postgres', SQL), 38);
    await sql.shows(/event \d+/, PATIENCE_S);
    sql.type('G');
    await sql.shows(/sealed/, PATIENCE_S);
    const whole = sql.seen;
    sql.type('g');
    await sql.shows(/event 1\/14/, PATIENCE_S);
    sql.type('b');
    await sql.shows(/event 7\/14/, PATIENCE_S);
    const blocked = sql.seen;
    sql.type('?');
    await sql.shows(/tenth/, PATIENCE_S);
    const keys = sql.seen;
    const model = open(await recorded(bench, 'openai', conversation()), 30);
    await model.shows(/event \d+/, PATIENCE_S);
    model.type('G');
    await model.shows(/sealed/, PATIENCE_S);
    return [
      ['A database session, at its end: `G`. Rows are as they were recorded, masked.', whole],
      ['The same from its start, with `b` at what was blocked.', blocked],
      ['`?` lists the keys.', keys],
      ['A conversation with a model.', model.seen],
    ];
  } finally {
    for (const terminal of terminals) terminal.close();
    bench.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}
