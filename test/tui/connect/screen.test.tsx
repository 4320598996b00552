import { render } from 'ink-testing-library';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { KeyName } from '../../../src/tui/keys.js';
import { lineText } from '../../../src/tui/lines.js';
import { ConnectScreen, ConnectView } from '../../../src/tui/connect/screen.js';
import { requestView } from '../../client/request-view.js';

const PATIENCE = { timeout: 20_000 };

const NOW = Date.parse('2026-11-21T10:00:48Z');
const places = [
  {
    connection: 'postgres',
    type: 'postgres',
    where: '127.0.0.1:15432',
    hint: "psql 'postgresql://ann@127.0.0.1:15432/shop'",
  },
  { connection: 'openai', type: 'openai', where: '127.0.0.1:15433', hint: 'OPENAI_BASE_URL=http://127.0.0.1:15433/v1' },
];

function open(size = { columns: 100, rows: 24 }) {
  const ended: string[] = [];
  const resolved: string[] = [];
  const screen = new ConnectScreen({
    places,
    traffic: () => new Map([['postgres', { sent: 1_234, received: 1_500_000 }]]),
    quit: () => ended.push('quit'),
    nowMs: () => NOW,
    onResolved: (text) => resolved.push(text),
  });
  screen.tick();
  const text = (): string => screen.frame(size).lines.map(lineText).join('\n');
  const press = (...keys: readonly string[]): void => {
    for (const key of keys)
      screen.key(
        key.length === 1 ? { name: 'char', text: key, alone: true } : { name: key as KeyName, text: '', alone: true },
      );
  };
  const event = (name: string, fields: object = {}, connection = 'postgres'): void =>
    screen.event({ event: name, connection, ...fields });
  return { screen, text, press, event, ended, resolved };
}

describe('the connect screen', () => {
  it('shows ports, what to type, who one is, sessions, bytes and statements with their verdicts', () => {
    const { screen, text, event } = open();
    screen.known({ name: 'ann@example.com', groups: ['engineering'], tokenEndsAtMs: NOW + 572_000 });
    event('session.opened', { session: 's1' });
    event('statement', { action: 'allow', text: 'SELECT 1\n  FROM t', skipped: 41 });
    event('statement', { action: 'block', text: 'DELETE FROM customers', rule: 'standard-sql/delete-no-where' });
    event('blocked', { rule: 'standard-sql/delete-no-where', message: 'A DELETE needs a WHERE.' });
    for (const part of [
      'ann@example.com (engineering)',
      'token 9:32 left',
      '● postgres  127.0.0.1:15432  1 session  ↑ 1.2 kB ↓ 1.5 MB',
      "psql 'postgresql://ann@127.0.0.1:15432/shop'",
      '● openai',
      'allow    SELECT 1 FROM t (and 41 before)',
      'block    DELETE FROM customers',
      'blocked  standard-sql/delete-no-where A DELETE needs a WHERE.',
    ])
      expect(text()).toContain(part);
  });

  it('shows what waits, for whom, how far and how long, and tells when it is over', () => {
    const { screen, text, event, resolved } = open();
    const progress = [{ flow: 'dba-review', entries: [{ groups: ['dba'], count: 2, given: 1 }] }];
    screen.requests([requestView('r1', { progress }), requestView('r2', { connection: 'elsewhere' })]);
    expect(text()).toContain('postgres: waiting for dba (1 of 2), 4:12 left  hoop approve r1');
    expect(text()).not.toContain('r2');
    event('approval.resolved', { outcome: 'denied', by: 'bob', reason: 'not now' });
    screen.requests([]);
    expect(text()).not.toContain('waiting for');
    expect(text()).toContain('denied   by bob not now');
    expect(resolved).toEqual(['denied: postgres']);
  });

  it('keeps the command of the reviewer whole on a narrow terminal, in a row of its own', () => {
    const { screen, text } = open();
    const id = '01a22187-cf65-7085-a01f-d3486600ab55';
    screen.requests([requestView(id, { flows: ['dba-review', 'security-review', 'on-call'] })]);
    expect(
      text()
        .split('\n')
        .filter((line) => line.includes('hoop approve')),
    ).toEqual([expect.stringMatching(new RegExp(`^ +hoop approve ${id} *$`))]);
  });

  it('says that a connection is away, when it is tried again, and that it is back', () => {
    const { text, event } = open();
    event('session.opened', { session: 's1' });
    event('session.opened', { session: 's2' });
    event('session.closed', { session: 's1', why: 'the tunnel was closed' });
    event('reconnecting', { attempt: 1, inMs: 3_000, why: 'the agent is shutting down' });
    expect(text()).toContain('○ postgres  127.0.0.1:15432  reconnecting in 3 s: the agent is shutting down');
    expect(text()).toContain('● openai');
    event('reconnected');
    // The other one holds, and is taken up again.
    expect(text()).toContain('● postgres  127.0.0.1:15432  1 session ');
    event('disconnected', { why: 'the token is not valid', suggestion: 'run `hoop login` again' });
    expect(text()).toContain('not connected: the token is not valid');
  });

  it('asks again before it ends sessions, and not where there are none', () => {
    const { text, press, event, ended } = open();
    event('session.opened', { session: 's1' });
    press('q');
    expect(text()).toContain('q again ends 1 open session');
    press('x', 'q');
    expect(ended).toEqual([]);
    press('q');
    expect(ended).toEqual(['quit']);
    const idle = open();
    idle.press('q');
    expect(idle.ended).toEqual(['quit']);
    const cut = open();
    cut.event('session.opened', { session: 's1' });
    cut.press('ctrl-c');
    expect(cut.ended).toEqual(['quit']);
  });

  it('scrolls back in the log, stays there as more comes, and returns to the newest', () => {
    const { text, press, event } = open();
    for (let count = 0; count < 60; count += 1)
      event('statement', { action: 'allow', text: `SELECT ${String(count)};` });
    expect(text()).toContain('SELECT 59;');
    press('home');
    expect(text()).toContain('SELECT 0;');
    event('statement', { action: 'allow', text: 'SELECT later' });
    expect(text()).toContain('SELECT 0;');
    press('end');
    expect(text()).toContain('SELECT later');
  });

  it('fits the terminal and lets no data act on it', () => {
    const evil = '\u001b]0;x\u0007\u202e';
    for (const [columns, rows] of [
      [80, 24],
      [40, 10],
      [200, 50],
    ] as const) {
      const { screen, event } = open();
      event('blocked', { rule: evil, message: evil });
      event('statement', { action: evil, text: evil });
      event('disconnected', { why: evil, suggestion: evil });
      screen.note(evil);
      screen.requests([requestView('r1', { text: evil, flows: [evil] })]);
      const { lines } = screen.frame({ columns, rows });
      expect(lines).toHaveLength(rows - 1);
      for (const line of lines) {
        expect(lineText(line)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
        expect([...lineText(line)].length).toBeLessThanOrEqual(columns);
      }
    }
  });
});

describe('the connect screen as Ink draws it', () => {
  const drawn: { unmount(): void }[] = [];
  afterEach(() => {
    for (const one of drawn.splice(0)) one.unmount();
  });

  it('draws events as they come and takes keys', async () => {
    const { screen, event, ended } = open();
    const ink = render(<ConnectView screen={screen} />);
    drawn.push(ink);
    event('statement', { action: 'allow', text: 'SELECT 1' });
    await vi.waitFor(() => expect(ink.lastFrame()).toContain('allow    SELECT 1'), PATIENCE);
    ink.stdin.write('q');
    await vi.waitFor(() => expect(ended).toEqual(['quit']), PATIENCE);
  });
});
