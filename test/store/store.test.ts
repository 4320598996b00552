import { chmodSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { RequestStore } from '../../src/approvals/request-store.js';
import type { ApprovalRequest } from '../../src/core/approval.js';
import { uuidv7 } from '../../src/core/ids.js';
import type { SessionSummary } from '../../src/core/session-summary.js';
import { openStore } from '../../src/store/store.js';
import type { Store } from '../../src/store/store.js';
import { wordQuery } from '../../src/store/word-query.js';
import { makeFolder } from '../support/folders.js';

let folder = '';
let path = '';
let store: Store;
const masterKey = new Uint8Array(32).fill(7);

beforeEach(() => {
  folder = makeFolder('store');
  path = join(folder, 'state', 'hoop.db');
  store = openStore({ path, masterKey });
});
afterEach(() => {
  store.close();
});

const id = (number: number): string => uuidv7(1_790_000_000_000 + number, new Uint8Array(10));

function summary(number: number, change: Partial<SessionSummary> = {}): SessionSummary {
  const startedAt = `2026-11-21T04:${String(number % 60).padStart(2, '0')}:00.000000Z`;
  return {
    id: id(number),
    connection: 'postgres',
    connectionType: 'postgres',
    subject: 'u-1',
    issuer: 'https://id',
    email: 'ann@example.com',
    credential: 'app',
    correlationId: '',
    startedAt,
    endedAt: '',
    statements: 0,
    blocked: 0,
    approvals: 0,
    file: `2026-11-21/${id(number)}.ndjson`,
    head: '',
    events: 0,
    endReason: '',
    title: '',
    ...change,
  };
}

function request(number: number, change: Partial<ApprovalRequest> = {}): ApprovalRequest {
  return {
    id: id(number),
    session: id(900),
    statement: 1,
    connection: 'postgres',
    connectionType: 'postgres',
    credential: 'app',
    requester: {
      subject: 'u-1',
      email: 'ann@example.com',
      groups: ['engineering'],
      issuer: 'https://id',
      machine: false,
    },
    text: 'UPDATE payments SET paid = true',
    bindHash: 'ab',
    rules: [{ rule: 'p/r', message: 'm' }],
    flows: ['dba'],
    reason: '',
    correlationId: '',
    createdAt: `2026-11-21T04:00:0${number}.000000Z`,
    expiresAt: '2026-11-21T04:05:00.000000Z',
    state: 'pending',
    votes: [],
    decidedBy: '',
    decidedAt: '',
    decisionReason: '',
    ...change,
  };
}
const vote = (subject: string, issuer = 'https://id') => ({
  subject,
  issuer,
  email: `${subject}@example.com`,
  groups: ['dba'],
  at: '2026-11-21T04:01:00.000000Z',
});

describe('the store’s file', () => {
  it('is 0600, and made so when it was not', () => {
    expect(statSync(path).mode & 0o777).toBe(0o600);
    store.close();
    chmodSync(path, 0o644);
    store = openStore({ path, masterKey });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    store.requests.insert(request(1));
    expect(statSync(`${path}-wal`).mode & 0o777).toBe(0o600);
  });

  it('refuses a second opener while the first lives', () => {
    expect(() => openStore({ path, masterKey })).toThrow(
      expect.objectContaining({ code: 'config_invalid', message: 'the store is in use by another agent' }),
    );
    store.close();
    store = openStore({ path, masterKey });
    expect(store.isOpen).toBe(true);
  });

  it('refuses a link, a folder, a file that is no database and one of a newer version', () => {
    symlinkSync(path, join(folder, 'link.db'));
    writeFileSync(join(folder, 'text.db'), 'no database at all, only text '.repeat(100));
    const newer = new DatabaseSync(join(folder, 'newer.db'));
    newer.exec('PRAGMA user_version = 99');
    newer.close();
    for (const name of ['link.db', 'state', 'text.db', 'newer.db']) {
      expect(() => openStore({ path: join(folder, name) })).toThrow(
        expect.objectContaining({ code: 'config_invalid' }),
      );
    }
  });

  it('keeps what it holds over closing and opening', () => {
    store.sessions.opened(summary(1));
    store.requests.insert(request(1));
    store.putKey('recording', new Uint8Array([1, 2, 3]));
    store.close();
    store = openStore({ path, masterKey });
    expect(store.sessions.get(id(1))).toEqual(summary(1));
    expect(store.requests.get(id(1))).toEqual(request(1));
    expect(store.getKey('recording')).toEqual(new Uint8Array([1, 2, 3]));
  });
});

describe('the index of sessions', () => {
  it('lists newest first in pages of 2 until next is empty', () => {
    for (let number = 1; number <= 5; number += 1) store.sessions.opened(summary(number));
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = store.sessions.list({ limit: 2, cursor });
      seen.push(...page.items.map((item) => item.id));
      cursor = page.next;
    } while (cursor !== '');
    expect(seen).toEqual([5, 4, 3, 2, 1].map(id));
  });

  it('finds by user, connection, time, blocked and correlation id', () => {
    store.sessions.opened(summary(1, { subject: 'u-2', email: 'bob@example.com' }));
    store.sessions.opened(summary(2, { connection: 'crm' }));
    store.sessions.opened(summary(3, { blocked: 2 }));
    store.sessions.opened(summary(4, { correlationId: 'run-7' }));
    const found = (filter: object): string[] => store.sessions.list(filter).items.map((item) => item.id);
    expect(found({ user: 'bob@example.com' })).toEqual([id(1)]);
    expect(found({ user: 'u-2' })).toEqual([id(1)]);
    expect(found({ owner: { subject: 'u-2', issuer: 'https://id' } })).toEqual([id(1)]);
    expect(found({ owner: { subject: 'u-2', issuer: 'https://other' } })).toEqual([]);
    expect(found({ connection: 'crm' })).toEqual([id(2)]);
    expect(found({ blocked: true })).toEqual([id(3)]);
    expect(found({ correlationId: 'run-7' })).toEqual([id(4)]);
    expect(found({ since: '2026-11-21T05:03:00+01:00' })).toEqual([id(4), id(3)]);
    expect(found({ since: '2026-11-21T04:01:00Z', until: '2026-11-21T04:03:00Z' })).toEqual([id(2), id(1)]);
  });

  it('finds statements by all of their words, the last as a beginning', () => {
    store.sessions.opened(summary(1));
    store.sessions.opened(summary(2));
    store.sessions.statements([
      { session: id(1), statement: 1, at: '', text: 'DELETE FROM customers WHERE id = 7', action: 'allow', rules: [] },
      { session: id(2), statement: 1, at: '', text: 'SELECT "x" FROM password_hash', action: 'block', rules: ['p/r'] },
    ]);
    const found = (text: string): number => store.sessions.list({ text }).items.length;
    expect([
      found('customers delete'),
      found('cust'),
      found('password_h'),
      found('from'),
      found('cust delete'),
      found('nothing'),
    ]).toEqual([1, 1, 1, 2, 0, 0]);
    expect(found('"; --')).toBe(0);
  });

  it('never fails for what a user searches', () => {
    store.sessions.opened(summary(1));
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => store.sessions.list({ text }).items.length >= 0));
    expect(wordQuery('a OR b* "c" NEAR(d) text:e')).toBe('"a" "OR" "b" "c" "NEAR" "d" "text" "e"*');
  });

  it('is not undone by what is told again or late', () => {
    const sealed = summary(1, { endedAt: '2026-11-21T05:00:00.000000Z', head: 'ab', events: 9, statements: 3 });
    store.sessions.opened(summary(1));
    store.sessions.sealed(sealed);
    store.sessions.flush();
    store.sessions.opened(summary(1));
    const row = { session: id(1), statement: 1, at: '', text: 'SELECT planted', action: '', rules: [] };
    store.sessions.statements([row]);
    store.sessions.statements([{ ...row, action: 'allow' }]);
    store.sessions.flush();
    expect(store.sessions.get(id(1))).toEqual(sealed);
    expect(store.sessions.list({ text: 'planted' }).items).toHaveLength(1);
  });

  it('refuses limits of 0 and 1,001, a cursor and a time that are none', () => {
    for (const filter of [{ limit: 0 }, { limit: 1001 }, { cursor: 'x' }, { since: 'yesterday' }]) {
      expect(() => store.sessions.list(filter)).toThrow(expect.objectContaining({ code: 'usage' }));
    }
  });
});

describe('approval requests', () => {
  it('are decided once, whoever comes later', () => {
    const requests: RequestStore = store.requests;
    requests.insert(request(1));
    const patch = { state: 'approved', decidedBy: 'bob@example.com', decidedAt: 'now', decisionReason: 'ok' } as const;
    expect(store.requests.resolve(id(1), patch)).toBe(true);
    expect(store.requests.resolve(id(1), { ...patch, state: 'denied' })).toBe(false);
    expect(store.requests.resolve(id(2), patch)).toBe(false);
    expect(store.requests.get(id(1))).toMatchObject(patch);
  });

  it('count a person once, by issuer and subject, and no vote after the decision', () => {
    store.requests.insert(request(1));
    expect(store.requests.addVote(id(1), vote('bob'))?.votes).toEqual([vote('bob')]);
    expect(store.requests.addVote(id(1), vote('bob'))).toBeUndefined();
    expect(store.requests.addVote(id(1), vote('bob', 'https://other'))?.votes).toHaveLength(2);
    store.requests.resolve(id(1), { state: 'denied', decidedBy: 'x', decidedAt: '', decisionReason: '' });
    expect(store.requests.addVote(id(1), vote('cleo'))).toBeUndefined();
    expect(store.requests.addVote(id(7), vote('cleo'))).toBeUndefined();
    expect(store.requests.get(id(1))?.votes).toHaveLength(2);
  });

  it('are listed newest first by state and requester', () => {
    for (const number of [1, 2, 3]) store.requests.insert(request(number));
    store.requests.resolve(id(2), { state: 'approved', decidedBy: 'x', decidedAt: '', decisionReason: '' });
    expect(store.requests.list().map((item) => item.id)).toEqual([3, 2, 1].map(id));
    expect(store.requests.list({ state: 'pending' }).map((item) => item.id)).toEqual([3, 1].map(id));
    expect(store.requests.list({ subject: 'u-1', issuer: 'https://other' })).toEqual([]);
  });

  it('are read up to 32 MiB where they are over, and all where they wait', () => {
    const text = 'x'.repeat(10 * 1024 * 1024);
    for (const number of [1, 2, 3, 4, 5]) store.requests.insert({ ...request(number), text });
    expect(store.requests.list({ state: 'pending' })).toHaveLength(5);
    const over = { state: 'denied', decidedBy: 'd', decidedAt: '', decisionReason: '' } as const;
    for (const number of [1, 2, 3, 4, 5]) store.requests.resolve(id(number), over);
    expect(store.requests.list().map((one) => one.id)).toEqual([id(5), id(4), id(3)]);
  });

  it('that wait are all listed, however many came after', () => {
    for (let number = 1; number <= 1_100; number += 1) store.requests.insert(request(number));
    expect(store.requests.list({ state: 'pending' }).at(-1)?.id).toBe(id(1));
    expect(store.requests.list()).toHaveLength(1_000);
  });

  it('are cancelled at the start of an agent, decided ones left alone', () => {
    for (const number of [1, 2]) store.requests.insert(request(number));
    store.requests.resolve(id(1), { state: 'approved', decidedBy: 'x', decidedAt: '', decisionReason: '' });
    expect(store.requests.cancelPending('the agent was started anew')).toBe(1);
    expect(store.requests.get(id(2))).toMatchObject({
      state: 'cancelled',
      decisionReason: 'the agent was started anew',
    });
    expect(store.requests.get(id(1))?.state).toBe('approved');
  });
});

describe('keys in the store', () => {
  it('are not in the file in clear, and open with the right master key and name only', () => {
    const secret = 'planted-secret-planted-secret';
    store.putKey('one', Buffer.from(secret));
    expect(store.getKey('two')).toBeUndefined();
    store.close();
    for (const name of [path, `${path}-wal`]) expect(read(name)).not.toContain('planted');
    store = openStore({ path, masterKey: new Uint8Array(32).fill(8) });
    expect(() => store.getKey('one')).toThrow(expect.objectContaining({ code: 'config_invalid' }));
    store.close();
    const database = new DatabaseSync(path);
    database.exec("INSERT INTO keys SELECT 'two', sealed FROM keys WHERE name = 'one'");
    database.close();
    store = openStore({ path, masterKey });
    expect(Buffer.from(store.getKey('one') ?? []).toString()).toBe(secret);
    expect(() => store.getKey('two')).toThrow(expect.objectContaining({ code: 'config_invalid' }));
  });

  it('refuse a master key of 31 bytes and to be used without one', () => {
    store.close();
    expect(() => openStore({ path, masterKey: new Uint8Array(31) })).toThrow(
      expect.objectContaining({ code: 'config_invalid' }),
    );
    store = openStore({ path });
    expect(() => store.putKey('one', new Uint8Array(1))).toThrow(expect.objectContaining({ code: 'config_invalid' }));
  });
});

function read(name: string): string {
  try {
    return readFileSync(name, 'latin1');
  } catch {
    return '';
  }
}
