import type { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { NoticeBoard } from '../../../src/agent/notices.js';
import { RequestFeed, type RequestFeedEvent } from '../../../src/agent/holds/request-feed.js';
import { desk, flow, heldStatement, person } from '../../approvals/desk.js';

const [alice, bob, carol] = [person('alice', ['engineering']), person('bob', ['dba']), person('carol', ['sales'])];

function board(expiresAt?: number) {
  const faults: unknown[] = [];
  const notices = new NoticeBoard((error) => faults.push(error));
  const all = desk(undefined, (event) => notices.tell({ kind: 'approval', ...event }));
  const after = (delayMs: number, task: () => void) => {
    const timer = all.time.setTimer(task, delayMs);
    return () => all.time.clearTimer(timer);
  };
  const feed = new RequestFeed({ approvals: all.approvals, notices, clock: all.time.clock, after });
  const open = (who = bob, filter: Partial<{ state: 'pending' | 'all'; mine: boolean }> = {}) =>
    feed.open(expiresAt === undefined ? who : { ...who, expiresAt }, { state: 'pending', mine: false, ...filter });
  return { ...all, feed, open, faults };
}

/** The lines that can be read now. */
function read(stream: Readable): RequestFeedEvent[] {
  const text = (stream.read() as string | null) ?? '';
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RequestFeedEvent);
}

const seen = (events: readonly RequestFeedEvent[]) =>
  events.map((event) =>
    event.event === 'request'
      ? event.request.state
      : event.event === 'snapshot'
        ? event.requests.map((request) => request.state)
        : event.event,
  );

describe('the feed of requests', () => {
  it('begins with what waits, then tells each that comes and how it ends', () => {
    const { approvals, open } = board();
    approvals.open(heldStatement(alice));
    const stream = open();
    expect(seen(read(stream))).toEqual([['pending']]);
    const { request } = approvals.open(heldStatement(alice, { text: 'DELETE FROM payments WHERE id = 1' }));
    expect(read(stream)).toMatchObject([{ event: 'request', request: { id: request.id, mayDecide: true } }]);
    approvals.decide(request.id, bob, 'deny', 'no');
    const [told] = read(stream);
    expect(told).toMatchObject({ request: { state: 'denied', decisionReason: 'no', mayDecide: false } });
    expect(told).not.toHaveProperty('request.bindHash');
  });

  it('tells the requester of their own, others without the right of nothing, and with mine only their own', () => {
    const { approvals, open } = board();
    const [own, stranger, mine] = [open(alice), open(carol), open(bob, { mine: true })];
    for (const stream of [own, stranger, mine]) expect(seen(read(stream))).toEqual([[]]);
    approvals.open(heldStatement(alice));
    expect(seen(read(own))).toEqual(['pending']);
    expect(read(stranger)).toEqual([]);
    expect(read(mine)).toEqual([]);
  });

  it('asks for the right at each event: a reviewer whose flow was changed is told no more', () => {
    const { approvals, open, configured } = board();
    const stream = open();
    read(stream);
    configured.set('dba-review', flow('dba-review', { reviewers: [{ groups: ['security'], count: 1 }] }));
    approvals.open(heldStatement(alice));
    expect(read(stream)).toEqual([]);
  });

  it('gives a slow reader the latest state of each, not every step', () => {
    const { approvals, open } = board();
    const stream = open();
    read(stream);
    // Fills what the stream holds on its own; nothing of it is read.
    for (let count = 0; count < 40; count += 1) approvals.open(heldStatement(alice, { text: 'x'.repeat(4_000) }));
    const { request } = approvals.open(heldStatement(alice));
    approvals.withdraw(request.id, 'client left');
    const events: RequestFeedEvent[] = [];
    for (let more = read(stream); more.length > 0; more = read(stream)) events.push(...more);
    expect(seen(events.filter((event) => event.event === 'request' && event.request.id === request.id))).toEqual([
      'cancelled',
    ]);
  });

  it('gives a reader who is 1,000 changes behind one snapshot', () => {
    const { approvals, open } = board();
    const stream = open();
    read(stream);
    for (let count = 0; count < 1_100; count += 1) {
      // Of one person no more than 200 may wait.
      const requester = { ...alice, subject: `alice-${String(count % 10)}` };
      approvals.open(heldStatement(requester, { text: 'x'.repeat(500) }));
    }
    const events: RequestFeedEvent[] = [];
    for (let more = read(stream); more.length > 0; more = read(stream)) events.push(...more);
    const snapshots = events.filter((event) => event.event === 'snapshot');
    expect(snapshots.map(({ requests }) => requests.length)).toEqual([1_000]);
    expect(events.length).toBeLessThan(300);
  });

  it('says every 15 s that it is there, and ends with the token', () => {
    const { open, time } = board(Date.parse('2026-11-21T10:00:30Z') / 1_000);
    const stream = open();
    read(stream);
    time.advance(15_000);
    expect(read(stream)).toEqual([{ event: 'ping' }]);
    time.advance(76_000);
    expect(read(stream).at(-1)).toEqual({ event: 'end', reason: 'the token has expired' });
    time.advance(60_000);
    expect(read(stream)).toEqual([]);
  });

  it('ends all at once when the agent stops, and leaves no timer or listener behind', async () => {
    const { open, feed, time } = board();
    const streams = [open(), open(alice)];
    const closed = streams.map((stream) => new Promise((resolve) => stream.once('close', resolve)));
    feed.closeAll();
    for (const stream of streams) {
      expect(read(stream).at(-1)).toEqual({ event: 'end', reason: 'the agent is stopping' });
      stream.resume();
    }
    await Promise.all(closed);
    expect(time.pending).toBe(0);
  });

  it('refuses a twenty-first feed of one person, until one of theirs is closed', async () => {
    const { open } = board();
    const streams = Array.from({ length: 20 }, () => open());
    expect(() => open()).toThrow(/more than 20 feeds/);
    expect(() => open(alice)).not.toThrow();
    const closed = new Promise((resolve) => streams[0]?.once('close', resolve));
    streams[0]?.destroy();
    await closed;
    expect(() => open()).not.toThrow();
  });
});
