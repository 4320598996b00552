import { render } from 'ink-testing-library';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { RequestPreview, RequestView } from '../../../src/core/approval.js';
import type { DecisionReasons, DeskState, EarlierStep, ReviewDesk } from '../../../src/tui/approve/desk.js';
import { approveFrame } from '../../../src/tui/approve/frame.js';
import { ApproveScreen, ApproveView } from '../../../src/tui/approve/screen.js';
import type { KeyName, KeyPress } from '../../../src/tui/keys.js';
import { lineText } from '../../../src/tui/lines.js';
import { requestView } from '../../client/request-view.js';

const PATIENCE = { timeout: 20_000 };

const NOW = Date.parse('2026-11-21T10:00:48Z');
const [first, second] = ['019abcde-0000-7000-8000-000000000001', '019abcde-0000-7000-8000-000000000002'] as const;

/** A desk whose requests the test sets, and which writes down what it is asked. */
class TestDesk implements ReviewDesk {
  readonly asked: unknown[] = [];
  preview_: RequestPreview | Error = new Error('a preview is not available');
  steps: readonly EarlierStep[] | undefined = [];
  refusal: Error | undefined;
  #state: DeskState;
  readonly #listeners = new Set<() => void>();

  constructor(...requests: readonly RequestView[]) {
    this.#state = { requests, line: { kind: 'live' } };
  }

  readonly get = (): DeskState => this.#state;
  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  set(state: Partial<DeskState>): void {
    this.#state = { ...this.#state, ...state };
    for (const listener of this.#listeners) listener();
  }

  async approve(id: string, given: object): Promise<RequestView> {
    this.asked.push(['approve', id, given]);
    return this.#decide(id, 'approved');
  }

  async deny(id: string, reason: string): Promise<RequestView> {
    this.asked.push(['deny', id, reason]);
    return this.#decide(id, 'denied');
  }

  async preview(id: string): Promise<RequestPreview> {
    this.asked.push(['preview', id]);
    if (this.preview_ instanceof Error) throw this.preview_;
    return this.preview_;
  }

  async earlierSteps(request: RequestView): Promise<readonly EarlierStep[] | undefined> {
    this.asked.push(['steps', request.id]);
    return this.steps;
  }

  #decide(id: string, state: 'approved' | 'denied'): RequestView {
    if (this.refusal !== undefined) throw this.refusal;
    const ended = { ...(this.#state.requests.find((one) => one.id === id) as RequestView), state, mayDecide: false };
    const requests = this.#state.requests.map((one) => (one.id === id ? { ...ended, decidedBy: 'bob' } : one));
    this.set({ requests });
    return ended;
  }
}

function open(desk: TestDesk, size = { columns: 80, rows: 24 }, reasons: DecisionReasons = {}) {
  const time = { nowMs: NOW };
  const [quit, told]: [string[], string[]] = [[], []];
  const screen = new ApproveScreen(desk, {
    quit: () => quit.push('quit'),
    nowMs: () => time.nowMs,
    reasons,
    onNew: ({ id }) => told.push(id),
  });
  desk.subscribe(screen.changed);
  screen.changed();
  /** Presses keys as a person does: one by one, half a second apart. */
  const press = (...keys: readonly string[]): void => {
    for (const key of keys) {
      time.nowMs += 500;
      screen.key(pressOf(key));
    }
  };
  const text = (): string => screen.frame(size).lines.map(lineText).join('\n');
  return { desk, screen, press, text, time, quit, told };
}

function pressOf(key: string, alone = true): KeyPress {
  return [...key].length === 1 ? { name: 'char', text: key, alone } : { name: key as KeyName, text: '', alone };
}

const held = requestView(first, {
  reason: 'refund of order 7',
  text: "UPDATE payments SET amount = 1, note = 'x' WHERE id = $1 AND amount > 5",
  rules: [{ rule: 'production-sql/payments-writes', message: 'Checked by a DBA.' }],
  params: ['7', null],
  client: { address: '10.0.0.7', application: 'psql' },
  facts: { effects: ['update'], writes: [{ schema: 'public', name: 'payments' }], functions: [] },
  progress: [{ flow: 'dba-review', entries: [{ groups: ['dba'], count: 2, given: 1 }] }],
  impact: { estimatedRows: 1, tables: [{ name: 'public.refunds', rows: 12, bytes: 8192, via: 'cascade' }] },
});

describe('the approve screen', () => {
  it('shows who, where, why, the statement by its clauses, parameters, facts, impact, progress and time left', () => {
    const { text } = open(new TestDesk(held), { columns: 120, rows: 50 });
    const shown = text();
    for (const part of [
      '1 waits for you',
      '● live',
      'waits, 4:12 left',
      'alice@example.com (engineering) person',
      'https://id.example.com',
      '10.0.0.7, psql',
      'postgres (postgres) as hoop_app',
      'refund of order 7',
      'production-sql/payments-writes: Checked by a DBA.',
      'dba (1 of 2) by dba-review',
      '│ UPDATE payments',
      "│ SET amount = 1, note = 'x'",
      '│ WHERE id = $1',
      '│   AND amount > 5',
      '$2         NULL',
      'public.payments',
      'about 1 row',
      'public.refunds (12 rows, 8.2 kB), by cascade',
    ])
      expect(shown).toContain(part);
  });

  it('is as high and no wider than the terminal, at 80 by 24 and at sizes nobody would choose', () => {
    const desk = new TestDesk(...Array.from({ length: 30 }, (_, at) => ({ ...held, id: `${first}${String(at)}` })));
    for (const [columns, rows] of [
      [80, 24],
      [200, 60],
      [63, 24],
      [30, 12],
    ] as const) {
      const { lines } = open(desk).screen.frame({ columns, rows });
      expect(lines).toHaveLength(rows - 1);
      for (const line of lines) expect([...lineText(line)].length).toBeLessThanOrEqual(columns);
    }
  });

  it('approves after y, and after nothing else', () => {
    const { desk, press, text } = open(new TestDesk(held));
    press('y', 'a');
    expect(text()).toContain('approve this of alice@example.com?');
    press('n');
    expect(text()).toContain('not approved');
    press('a', 'enter', 'a', 'escape', 'a', ' ');
    expect(desk.asked).toEqual([]);
    press('a', 'y');
    expect(desk.asked).toEqual([['approve', first, { reason: '' }]]);
  });

  it('does not approve for a y that came in a burst, or sooner than anybody reads', () => {
    const { desk, screen, press, time } = open(new TestDesk(held));
    screen.key(pressOf('a', false));
    time.nowMs += 1_000;
    screen.key(pressOf('y', false));
    press('a');
    time.nowMs += 100;
    screen.key(pressOf('y'));
    screen.key({ name: 'paste', text: 'ay', alone: false });
    expect(desk.asked).toEqual([]);
  });

  it('approves only what was asked about: not what ended meanwhile, nor what came in its place', () => {
    const { desk, press, text } = open(new TestDesk(held, { ...held, id: second }));
    press('a');
    desk.set({
      requests: [
        { ...held, state: 'denied', mayDecide: false, decidedBy: 'carol' },
        { ...held, id: second },
      ],
    });
    expect(text()).toContain('it is over');
    press('y');
    expect(desk.asked).toEqual([]);
    desk.set({ requests: [{ ...held, id: second }] });
    press('y');
    expect(desk.asked).toEqual([]);
  });

  it('denies with a reason, never without', () => {
    const { desk, press, text } = open(new TestDesk(held));
    press('d', 'enter');
    expect(text()).toContain('type why');
    press(...'not now', 'enter');
    expect(desk.asked).toEqual([['deny', first, 'not now']]);
    expect(text()).toContain('denied by bob');
  });

  it('approves for a time where the flow lets the reviewer, and adds a reason', () => {
    const without = open(new TestDesk(held));
    without.press('t');
    expect(without.text()).toContain('nobody approve it for a time');
    const { desk, press, text } = open(new TestDesk({ ...held, maxDurationMs: 3_600_000 }));
    press('t', ...'soon', 'enter');
    expect(text()).toContain('a time is a number');
    press('ctrl-u', ...'30m', 'enter');
    expect(text()).toContain('for 30m?');
    press('y');
    expect(desk.asked).toEqual([['approve', first, { reason: '', duration: '30m' }]]);
    const reasoned = open(new TestDesk(held));
    reasoned.press('a', 'r', ...'checked', 'enter', 'y');
    expect(reasoned.desk.asked).toEqual([['approve', first, { reason: 'checked' }]]);
  });

  it('decides with the reasons that the command was given, unless another is typed', () => {
    const reasons = { approve: 'on call', deny: 'freeze' };
    const size = { columns: 80, rows: 24 };
    const approving = open(new TestDesk(held), size, reasons);
    approving.press('a', 'y');
    expect(approving.desk.asked).toEqual([['approve', first, { reason: 'on call' }]]);
    const denying = open(new TestDesk(held), size, reasons);
    denying.press('d');
    expect(denying.text()).toContain('deny, because: freeze');
    denying.press(...'!', 'enter');
    expect(denying.desk.asked).toEqual([['deny', first, 'freeze!']]);
  });

  it('says what the agent refused, and goes on to the next request after a decision', async () => {
    const { desk, press, text } = open(new TestDesk(held, { ...held, id: second, text: 'DELETE FROM refunds' }));
    desk.refusal = new Error('the request is denied already by carol');
    press('a', 'y');
    await vi.waitFor(() => expect(text()).toContain('denied already by carol'), PATIENCE);
    desk.refusal = undefined;
    press('a', 'y');
    await vi.waitFor(() => expect(text()).toContain('│ │ DELETE FROM refunds'), PATIENCE);
    expect(text()).toContain('alice@example.com: approved by bob');
  });

  it('tells of requests that come, not of those that waited before', () => {
    const { desk, told } = open(new TestDesk(held));
    desk.set({ requests: [held, { ...held, id: second }] });
    desk.set({ requests: [held, { ...held, id: second }, { ...held, id: 'own', mayDecide: false }] });
    expect(told).toEqual([second]);
  });

  it('says that the line is broken and when it is tried again, and keeps what was there', () => {
    const { desk, text } = open(new TestDesk(held));
    desk.set({ line: { kind: 'lost', why: 'gone', retryAtMs: NOW + 3_000 } });
    expect(text()).toContain('○ not connected, again in 3 s');
    expect(text()).toContain('UPDATE payments');
  });

  it('filters as one types, moves, searches the text and shows rows below', () => {
    const many = Array.from({ length: 40 }, (_, at) => `select ${String(at)} -- needle ${String(at)}`).join('\n');
    const { press, text } = open(new TestDesk(held, { ...held, id: second, text: many, credential: 'other' }));
    press('/', ...'OTHER');
    expect(text()).toContain('filter: OTHER');
    press('enter');
    expect(text()).toContain('1 hold “OTHER”');
    expect(text()).toMatch(/\d+ more rows below/);
    press('s', ...'needle 39', 'enter', 'n');
    expect(text()).toContain('needle 39');
    press('escape', 'home');
    expect(text()).toContain('2 wait for you');
  });

  it('shows a preview, or why there is none, and what came before under the correlation id', async () => {
    const desk = new TestDesk({ ...held, correlationId: 'nightly-42' });
    desk.steps = [{ at: '2026-11-21T09:59:00Z', connection: 'openai', text: 'refund \u001b[2J', action: 'warn' }];
    const { press, text } = open(desk, { columns: 120, rows: 60 });
    await vi.waitFor(() => expect(text()).toContain('openai: refund \\x1b[2J [warn]'), PATIENCE);
    press('p');
    await vi.waitFor(() => expect(text()).toContain('a preview is not available'), PATIENCE);
    desk.preview_ = {
      rows: 2,
      before: { columns: ['id', 'amount'], rows: [['7', '10.50']] },
      notes: ['a trigger fires'],
    };
    press('p');
    await vi.waitFor(() => expect(text()).toContain('2 rows, rolled back'), PATIENCE);
    expect(text()).toContain('· a trigger fires');
  });

  it('scrolls to the preview that was asked for, also where the text is longer than the terminal', async () => {
    const desk = new TestDesk({ ...held, text: `SELECT 1${'\n, 2'.repeat(60)}` });
    desk.preview_ = { rows: 2, notes: ['a trigger fires'] };
    const { press, text } = open(desk);
    expect(text()).not.toContain('a trigger fires');
    press('p');
    await vi.waitFor(() => expect(text()).toContain('a trigger fires'), PATIENCE);
    expect(text()).toContain('2 rows, rolled back');
  });

  it('shows the preview that a flow asked for without a key, and that it is on its way', () => {
    const desk = new TestDesk({ ...held, previewWanted: true });
    const { text } = open(desk, { columns: 120, rows: 60 });
    expect(text()).toContain('preview: the agent tries it out and rolls it back…');
    const after = { columns: ['id', 'amount'], rows: [['7', '0.00']] };
    desk.set({ requests: [{ ...held, previewWanted: true, preview: { rows: 1, after, notes: [] } }] });
    expect(text()).toContain('preview: 1 row, rolled back');
    expect(text()).toContain('0.00');
    expect(desk.asked).toEqual([]);
  });

  it('never lets data act on the terminal, from whichever field it comes', () => {
    const evil = '\u001b]52;c;aGk=\u0007\u202e\r';
    const request = {
      ...held,
      reason: evil,
      text: `SELECT ${evil}`,
      connection: evil,
      credential: evil,
      correlationId: evil,
      requester: { ...held.requester, email: evil, subject: evil, groups: [evil], issuer: evil },
      rules: [{ rule: evil, message: evil }],
      params: [evil],
      facts: { effects: [evil], writes: [{ schema: evil, name: evil }], opaque: true, opaqueReason: evil },
      impact: { notes: [evil], tables: [{ name: evil, via: evil }] },
      client: { address: evil, application: evil },
    };
    const { text, press } = open(new TestDesk(request), { columns: 100, rows: 90 });
    press('/', ...evil);
    expect(text().replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  });
});

describe('the approve screen as Ink draws it', () => {
  const drawn: { unmount(): void }[] = [];
  afterEach(() => {
    for (const one of drawn.splice(0)) one.unmount();
  });

  it('draws what comes and takes keys from the terminal', async () => {
    const desk = new TestDesk();
    const ended: string[] = [];
    const time = { nowMs: NOW };
    const screen = new ApproveScreen(desk, {
      quit: () => ended.push('q'),
      nowMs: () => time.nowMs,
      onNew: () => undefined,
    });
    const ink = render(<ApproveView screen={screen} />);
    drawn.push(ink);
    expect(ink.lastFrame()).toContain('Nothing waits for you.');
    desk.set({ requests: [held] });
    await vi.waitFor(() => expect(ink.lastFrame()).toContain('UPDATE payments'), PATIENCE);
    ink.stdin.write('a');
    await vi.waitFor(() => expect(ink.lastFrame()).toContain('approve this of alice'), PATIENCE);
    time.nowMs += 1_000;
    ink.stdin.write('y');
    await vi.waitFor(() => expect(desk.asked).toEqual([['approve', first, { reason: '' }]]), PATIENCE);
    ink.stdin.write('q');
    await vi.waitFor(() => expect(ended).toEqual(['q']), PATIENCE);
  });

  it('is what `approveFrame` gives, row by row', () => {
    const desk = new TestDesk(held);
    const screen = new ApproveScreen(desk, { quit: () => undefined, nowMs: () => NOW, onNew: () => undefined });
    const ink = render(<ApproveView screen={screen} />);
    drawn.push(ink);
    // Its terminal is 100 cells wide and tells no height.
    const { lines } = approveFrame(screen.store.get(), desk.get(), { columns: 100, rows: 24 });
    expect(
      ink
        .lastFrame()
        ?.split('\n')
        .map((row) => row.trimEnd()),
    ).toEqual(lines.map((row) => lineText(row).trimEnd()));
  });
});
