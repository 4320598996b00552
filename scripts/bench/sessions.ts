// How long `hoop sessions` waits for the store, by filter, in a store of a million statements. The store is generated
// straight into its tables: 100,000 sessions of ten statements by 500 people, over 90 days. With --keep PATH it is kept
// and used again. Times are of the second of three runs of each question: the first page of 100, and one far behind.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { uuidv7 } from '../../src/core/ids.js';
import type { SessionTerm, StatementRow } from '../../src/core/recording-index.js';
import type { SessionFilter } from '../../src/store/session-filter.js';
import { openStore } from '../../src/store/store.js';
import type { Store } from '../../src/store/store.js';

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '100000' },
    statements: { type: 'string', default: '10' },
    keep: { type: 'string' },
  },
});

const SESSIONS = Number(values.sessions);
const STATEMENTS = Number(values.statements);
const END_MS = Date.parse('2026-11-21T00:00:00Z');
const SPAN_MS = 90 * 86_400_000;
const TABLES = ['customers', 'orders', 'payments', 'invoices', 'audit_log', 'products', 'refunds_archive'];
const NOUNS = ['status', 'total', 'shipped', 'email', 'region', 'amount', 'currency', 'note'];

/** The same numbers in every run. */
let seed = 1;
function below(most: number): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * most);
}

function fill(store: Store): void {
  for (let n = 0; n < SESSIONS; n += 1) {
    one(store, n);
    if (n % 500 === 499) store.sessions.flush();
    if (n % 20_000 === 19_999) console.error(`${String(n + 1)} sessions`);
  }
  store.sessions.flush();
}

function one(store: Store, n: number): void {
  const atMs = END_MS - SPAN_MS + Math.floor((n / SESSIONS) * SPAN_MS);
  const at = new Date(atMs).toISOString().replace('Z', '000Z');
  const session = uuidv7(
    atMs,
    Uint8Array.from({ length: 10 }, () => below(256)),
  );
  const user = below(500);
  const blocked = below(50) === 0;
  const rows: StatementRow[] = [];
  const terms = new Map<string, SessionTerm>();
  const term = (kind: SessionTerm['kind'], name: string): void =>
    void terms.set(`${kind} ${name}`, { session, startedAt: at, kind, term: name });
  term('group', ['engineering', 'support', 'dba', 'finance'][user % 4] as string);
  for (let s = 1; s <= STATEMENTS; s += 1) {
    const table = TABLES[Math.floor(below(TABLES.length * 10) ** 2 / (TABLES.length * 100))] as string;
    const text = `select ${NOUNS[below(8)] as string}, ${NOUNS[below(8)] as string} from ${table} where id = ${String(below(1e6))}`;
    const stopped = blocked && s === STATEMENTS;
    rows.push({
      session,
      statement: s,
      at,
      text,
      action: stopped ? 'block' : 'allow',
      rules: stopped ? ['p/where'] : [],
    });
    term('table', table);
    term('table', `public.${table}`);
    if (below(20) === 0) term('entity', 'email');
  }
  if (blocked) for (const rule of ['p/where', 'where']) term('rule', rule);
  if (blocked) term('verdict', 'block');
  store.recordingIndex.sessionOpened({
    id: session,
    connection: ['postgres', 'warehouse', 'billing'][below(3)] as string,
    connectionType: 'postgres',
    subject: `svc-${String(user)}`,
    issuer: 'https://id.example.com',
    email: `user${String(user)}@example.com`,
    credential: 'app',
    correlationId: below(10) === 0 ? `run-${String(Math.floor(n / 100))}` : '',
    startedAt: at,
    endedAt: at,
    statements: STATEMENTS,
    blocked: blocked ? 1 : 0,
    approvals: 0,
    file: `${at.slice(0, 10)}/${session}.ndjson`,
    head: 'a'.repeat(64),
    events: 3 * STATEMENTS + 3,
    title: rows[0]?.text ?? '',
  });
  store.recordingIndex.statementsSeen(rows);
  store.recordingIndex.termsSeen?.([...terms.values()]);
}

const since = new Date(END_MS - 7 * 86_400_000).toISOString();
const QUESTIONS: readonly (readonly [string, SessionFilter])[] = [
  ['none', {}],
  ['--user (1 of 500)', { user: 'user77@example.com' }],
  ['--user, who is nobody', { user: 'nobody@example.com' }],
  ['--group (a quarter)', { group: 'dba' }],
  ['--connection (a third)', { connection: 'billing' }],
  ['--since 7d', { since }],
  ['--until, three months ago', { until: new Date(END_MS - SPAN_MS + 3_600_000).toISOString() }],
  ['--blocked (2 %)', { blocked: true }],
  ['--verdict allow', { verdict: 'allow' }],
  ['--rule', { rule: 'p/where' }],
  ['--table (of most)', { table: 'customers' }],
  ['--entity', { entity: 'email' }],
  ['--correlation-id', { correlationId: 'run-500' }],
  ['--text, in every statement', { text: 'select' }],
  ['--text, in one of 20', { text: 'refunds_archive' }],
  ['--text, a number', { text: '777777' }],
  ['--text, two words', { text: 'currency payments' }],
  ['--text, in none', { text: 'zebra' }],
  ['--user --text, in every statement', { user: 'svc-77', text: 'select' }],
  ['--blocked --user --table --since 7d', { blocked: true, user: 'svc-77', table: 'orders', since }],
  [
    'one’s own, --text in every statement',
    { owner: { subject: 'svc-9', issuer: 'https://id.example.com' }, text: 'select' },
  ],
];

function timed(
  store: Store,
  filter: SessionFilter,
): { readonly ms: number; readonly found: number; readonly next: string } {
  const times: number[] = [];
  let found = 0;
  let next = '';
  for (let run = 0; run < 3; run += 1) {
    const started = performance.now();
    const page = store.sessions.list({ ...filter, limit: 100 });
    times.push(performance.now() - started);
    found = page.items.length;
    next = page.next;
  }
  return { ms: times.sort((a, b) => a - b)[1] as number, found, next };
}

/** A cursor in the middle of all. */
const MIDDLE = new Date(END_MS - SPAN_MS / 2).toISOString().replace('Z', '000Z');

const folder = mkdtempSync(join(tmpdir(), 'hoop-bench-sessions-'));
const path = values.keep ?? join(folder, 'hoop.db');
const kept = existsSync(path);
const store = openStore({ path });
try {
  const started = performance.now();
  if (!kept) fill(store);
  if (!kept)
    console.log(
      `${String(SESSIONS * STATEMENTS)} statements written in ${((performance.now() - started) / 1000).toFixed(0)} s`,
    );
  console.log('| filter | first page, ms | found | a page in the middle, ms |\n| --- | --- | --- | --- |');
  for (const [name, filter] of QUESTIONS) {
    const first = timed(store, filter);
    const far = timed(store, { ...filter, cursor: `${MIDDLE}~0` });
    console.log(
      `| ${name} | ${first.ms.toFixed(1)} | ${String(first.found)}${first.next === '' ? '' : '+'} | ${far.ms.toFixed(1)} |`,
    );
  }
} finally {
  store.close();
  rmSync(folder, { recursive: true, force: true });
}
