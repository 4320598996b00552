import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { SessionTerm, TermKind } from '../../src/core/recording-index.js';
import type { SessionSummary } from '../../src/core/session-summary.js';
import { uuidv7 } from '../../src/core/ids.js';
import { MIGRATIONS } from '../../src/store/schema.js';
import type { SessionFilter } from '../../src/store/session-filter.js';
import { openStore } from '../../src/store/store.js';
import type { Store } from '../../src/store/store.js';
import { makeFolder } from '../support/folders.js';

const folder = makeFolder('search');
let store: Store;
const SESSIONS = 300;
const START_MS = Date.parse('2026-11-21T00:00:00Z');

interface Made {
  readonly summary: SessionSummary;
  readonly terms: readonly (readonly [TermKind, string])[];
  readonly words: readonly string[];
}
const made: Made[] = [];
const pick = <T>(list: readonly T[], number: number): T => list[number % list.length] as T;

beforeAll(() => {
  store = openStore({ path: join(folder, 'hoop.db') });
  for (let n = 0; n < SESSIONS; n += 1) {
    const id = uuidv7(START_MS + n, new Uint8Array(10).fill(n & 0xff));
    // Several start in the same moment.
    const startedAt = new Date(START_MS + Math.floor(n / 3) * 60_000).toISOString().replace('Z', '000Z');
    const blocked = n % 7 === 0 ? 1 : 0;
    const subject = `u-${String(n % 5)}`;
    const summary: SessionSummary = {
      id,
      connection: pick(['postgres', 'openai'], n),
      connectionType: 'postgres',
      subject,
      issuer: 'https://id',
      email: `${subject}@example.com`,
      credential: 'app',
      correlationId: n % 11 === 0 ? `run-${String(n % 22)}` : '',
      startedAt,
      endedAt: startedAt,
      statements: 1,
      blocked,
      approvals: 0,
      file: `2026-11-21/${id}.ndjson`,
      head: 'ab',
      events: 5,
      title: '',
    };
    const terms: [TermKind, string][] = [
      ['group', pick(['engineering', 'dba', 'sales'], n)],
      ['table', pick(['customers', 'payments'], n)],
      ['table', `public.${pick(['customers', 'payments'], n)}`],
      ...(n % 13 === 0 ? [['entity', 'email'] as [TermKind, string]] : []),
      ...(blocked === 1 ? [['rule', 'p/where'] as [TermKind, string], ['rule', 'where'] as [TermKind, string]] : []),
      ...(n % 17 === 0 ? [['verdict', 'warn'] as [TermKind, string]] : []),
      ...(n === 42 ? [['approval', id] as [TermKind, string]] : []),
    ];
    const words = ['select', pick(['alpha', 'beta', 'gamma'], n), `number${String(n)}`];
    made.push({ summary, terms, words });
    store.recordingIndex.sessionOpened(summary);
    store.recordingIndex.statementsSeen([
      {
        session: id,
        statement: 1,
        at: startedAt,
        text: words.join(' '),
        action: blocked === 1 ? 'block' : 'allow',
        rules: [],
      },
    ]);
    store.recordingIndex.termsSeen?.(
      terms.map(([kind, term]): SessionTerm => ({ session: id, startedAt, kind, term })),
    );
  }
});
afterAll(() => {
  store.close();
});

/** The same, looked for without an index. */
function expected(filter: SessionFilter): string[] {
  const has = ({ terms }: Made, kind: TermKind, term: string | undefined): boolean =>
    term === undefined || terms.some(([k, t]) => k === kind && t === term);
  return made
    .filter((one) => {
      const { summary: s } = one;
      return (
        (filter.user === undefined || s.subject === filter.user || s.email === filter.user) &&
        (filter.owner === undefined || s.subject === filter.owner.subject) &&
        (filter.connection === undefined || s.connection === filter.connection) &&
        (filter.correlationId === undefined || s.correlationId === filter.correlationId) &&
        (filter.blocked !== true || s.blocked > 0) &&
        (filter.since === undefined || s.startedAt >= filter.since) &&
        (filter.until === undefined || s.startedAt < filter.until) &&
        (filter.verdict !== 'allow' || s.blocked === 0) &&
        (filter.verdict !== 'block' || s.blocked > 0) &&
        (filter.verdict !== 'warn' || has(one, 'verdict', 'warn')) &&
        has(one, 'group', filter.group) &&
        has(one, 'table', filter.table?.toLowerCase()) &&
        has(one, 'rule', filter.rule) &&
        has(one, 'entity', filter.entity) &&
        has(one, 'approval', filter.approval) &&
        (filter.text === undefined || one.words.includes(filter.text))
      );
    })
    .map(({ summary }) => summary)
    .sort((a, b) => (a.startedAt === b.startedAt ? (a.id < b.id ? 1 : -1) : a.startedAt < b.startedAt ? 1 : -1))
    .map(({ id }) => id);
}

const filters: fc.Arbitrary<SessionFilter> = fc.record(
  {
    user: fc.constantFrom('u-1', 'u-2@example.com', 'nobody'),
    owner: fc.constantFrom({ subject: 'u-1', issuer: 'https://id' }),
    group: fc.constantFrom('engineering', 'dba'),
    connection: fc.constantFrom('postgres', 'openai'),
    since: fc.constant('2026-11-21T00:20:00.000000Z'),
    until: fc.constant('2026-11-21T01:20:00.000000Z'),
    blocked: fc.boolean(),
    verdict: fc.constantFrom('allow', 'warn', 'block'),
    rule: fc.constantFrom('p/where', 'where'),
    table: fc.constantFrom('customers', 'public.Payments'),
    entity: fc.constantFrom('email'),
    text: fc.constantFrom('select', 'alpha', 'number42', 'absent'),
    correlationId: fc.constantFrom('run-0', 'run-11'),
  },
  { requiredKeys: [] },
);

describe('searching sessions', () => {
  it('finds by any filters together what a look at every session finds, in pages of 7, newest first', () => {
    fc.assert(
      fc.property(filters, (filter) => {
        const found: string[] = [];
        let cursor = '';
        do {
          const page = store.sessions.list({ ...filter, cursor, limit: 7 });
          found.push(...page.items.map(({ id }) => id));
          cursor = page.next;
        } while (cursor !== '');
        expect(found).toEqual(expected(filter));
      }),
      { numRuns: 200 },
    );
  });

  it('goes on behind a session named by its id', () => {
    const all = store.sessions.list({ user: 'u-1', limit: 20 }).items.map(({ id }) => id);
    const rest = store.sessions.list({ user: 'u-1', limit: 15, cursor: all[4] as string }).items.map(({ id }) => id);
    expect(rest).toEqual(all.slice(5));
  });

  it('finds the one session of a request for approval', () => {
    const { id } = (made[42] as Made).summary;
    expect(store.sessions.list({ approval: id }).items.map((session) => session.id)).toEqual([id]);
  });

  it('takes a session of somebody else for no cursor, where a caller may see their own alone', () => {
    const owner = { subject: 'u-1', issuer: 'https://id' };
    const [own] = store.sessions.list({ owner, limit: 1 }).items;
    const foreign = store.sessions.list({ limit: 1000 }).items.find(({ subject }) => subject !== 'u-1');
    expect(store.sessions.list({ owner, cursor: own?.id as string }).items.length).toBeGreaterThan(0);
    const refusalOf = (cursor: string): unknown => {
      try {
        return store.sessions.list({ owner, cursor });
      } catch (error) {
        return error;
      }
    };
    expect(refusalOf(foreign?.id as string)).toEqual(refusalOf('019f0000-0000-7000-8000-000000000000'));
  });

  it('refuses a cursor that is none and a verdict that is none', () => {
    expect(() => store.sessions.list({ cursor: 'x' })).toThrow(expect.objectContaining({ code: 'usage' }));
    expect(() => store.sessions.list({ verdict: 'maybe' })).toThrow(expect.objectContaining({ code: 'usage' }));
  });

  it('finds sessions of before there was an index of terms, by user, connection, verdict and rule', () => {
    const path = join(folder, 'old.db');
    const old = new DatabaseSync(path);
    MIGRATIONS.slice(0, 3).forEach((step, at) => old.exec(`${step}; PRAGMA user_version = ${String(at + 1)}`));
    const { summary: s } = made[7] as Made;
    old
      .prepare('INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run(
        s.id,
        'pg',
        'postgres',
        'u-9',
        'https://id',
        'nine@example.com',
        'app',
        'run-9',
        s.startedAt,
        s.endedAt,
        1,
        1,
        0,
        s.file,
        'ab',
        5,
        '',
      );
    old
      .prepare('INSERT INTO statements (session, statement, at, text, action, rules) VALUES (?, 1, ?, ?, ?, ?)')
      .run(s.id, s.startedAt, 'delete from x', 'block', '["prod/where","prod/more"]');
    old.close();
    const opened = openStore({ path });
    for (const filter of [
      { user: 'u-9' },
      { user: 'nine@example.com' },
      { connection: 'pg' },
      { correlationId: 'run-9' },
      { blocked: true },
      { rule: 'prod/where' },
      { rule: 'more' },
      { text: 'delete' },
    ])
      expect(opened.sessions.list(filter).items.map(({ id }) => id)).toEqual([s.id]);
    expect(opened.sessions.list({ rule: 'other' }).items).toEqual([]);
    opened.close();
  });
});
