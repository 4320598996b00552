import { describe, expect, it } from 'vitest';
import { createApprovals } from '../../src/approvals/approvals.js';
import { HoopError } from '../../src/core/errors.js';
import type { ErrorCode } from '../../src/core/errors.js';
import { desk, flow, heldStatement, person } from './desk.js';

const alice = person('alice', ['engineering']);
const bob = person('bob', ['dba']);
const carol = person('carol', ['sales']);

function codeOf(run: () => unknown): ErrorCode | 'none' {
  try {
    run();
    return 'none';
  } catch (error) {
    if (error instanceof HoopError) return error.code;
    throw error;
  }
}

describe('a request', () => {
  it('is approved by one reviewer, and the wait ends with who and why', async () => {
    const { approvals, events, time } = desk();
    const { request, outcome } = approvals.open(heldStatement(alice));
    expect(request.state).toBe('pending');
    expect(Date.parse(request.expiresAt) - Date.parse(request.createdAt)).toBe(300_000);
    const decided = approvals.decide(request.id, bob, 'approve', 'looked at it');
    expect(decided).toMatchObject({ state: 'approved', decidedBy: 'bob@example.com', decisionReason: 'looked at it' });
    expect(await outcome).toEqual({ state: 'approved', by: 'bob@example.com', reason: 'looked at it' });
    expect(events.map((event) => event.type)).toEqual(['requested', 'resolved']);
    expect(time.pending).toBe(0);
  });

  it('is denied by any reviewer, also after others approved', async () => {
    const { approvals } = desk([flow('dba-review', { reviewers: [{ groups: ['dba'], count: 2 }] })]);
    const { request, outcome } = approvals.open(heldStatement(alice));
    expect(approvals.decide(request.id, bob, 'approve', '').state).toBe('pending');
    approvals.decide(request.id, person('dora', ['dba']), 'deny', 'wrong table');
    expect(await outcome).toEqual({ state: 'denied', by: 'dora@example.com', reason: 'wrong table' });
  });

  it('expires after the shortest wait of its flows', async () => {
    const { approvals, time } = desk([flow('slow', { waitMs: 60_000 }), flow('quick', { waitMs: 20_000 })]);
    const { request, outcome } = approvals.open(heldStatement(alice, { flows: ['slow', 'quick'] }));
    time.advance(19_999);
    expect(approvals.get(alice, request.id).state).toBe('pending');
    time.advance(1);
    expect((await outcome).state).toBe('expired');
  });

  it('waits 60 days where a flow says so, though timers hold 24', async () => {
    const day = 86_400_000;
    const { approvals, time } = desk([flow('dba-review', { waitMs: 60 * day })]);
    const { request, outcome } = approvals.open(heldStatement(alice));
    time.advance(59 * day);
    expect(approvals.get(alice, request.id).state).toBe('pending');
    time.advance(day);
    expect((await outcome).state).toBe('expired');
  });

  it('cannot be approved after its time though its timer is late', async () => {
    const { approvals, time } = desk();
    const { request, outcome } = approvals.open(heldStatement(alice));
    time.nowMs += 300_000;
    expect(codeOf(() => approvals.decide(request.id, bob, 'approve', ''))).toBe('already_decided');
    expect((await outcome).state).toBe('expired');
  });

  it('says who decided when it is decided a second time', () => {
    const { approvals } = desk();
    const { request } = approvals.open(heldStatement(alice));
    approvals.decide(request.id, bob, 'deny', 'no');
    const again = () => approvals.decide(request.id, person('dora', ['dba']), 'approve', '');
    expect(again).toThrow('denied already by bob@example.com');
    expect(codeOf(again)).toBe('already_decided');
  });

  it('is withdrawn once; afterwards nobody decides it', async () => {
    const { approvals } = desk();
    const { request, outcome } = approvals.open(heldStatement(alice));
    expect(approvals.withdraw(request.id, 'client cancelled')).toBe(true);
    expect(approvals.withdraw(request.id, 'again')).toBe(false);
    expect(await outcome).toEqual({ state: 'cancelled', by: '', reason: 'client cancelled' });
    expect(codeOf(() => approvals.decide(request.id, bob, 'approve', ''))).toBe('already_decided');
  });

  it('does not open for a flow that is not configured, nor for none', () => {
    const { approvals, store } = desk();
    expect(codeOf(() => approvals.open(heldStatement(alice, { flows: ['dba-review', 'gone'] })))).toBe(
      'config_invalid',
    );
    expect(codeOf(() => approvals.open(heldStatement(alice, { flows: [] })))).toBe('config_invalid');
    expect(store.rows.size).toBe(0);
  });

  it('can be denied but not approved once one of its flows is gone', () => {
    const { approvals, configured } = desk([flow('dba-review'), flow('other')]);
    const { request } = approvals.open(heldStatement(alice, { flows: ['dba-review', 'other'] }));
    configured.delete('other');
    expect(approvals.decide(request.id, bob, 'approve', '').state).toBe('pending');
    expect(approvals.decide(request.id, person('dora', ['dba']), 'deny', 'no').state).toBe('denied');
  });

  it('does not open when the store cannot keep it', () => {
    const { approvals, store, time } = desk();
    store.failing = true;
    expect(() => approvals.open(heldStatement(alice))).toThrow('disk full');
    expect(time.pending).toBe(0);
  });

  it('ends the wait at its time though the store fails', async () => {
    const { approvals, store, time } = desk();
    const { outcome } = approvals.open(heldStatement(alice));
    store.failing = true;
    time.advance(300_000);
    expect((await outcome).state).toBe('expired');
  });
});

describe('the right to decide', () => {
  it('is never for the requester, whatever their groups', () => {
    const { approvals } = desk();
    const dba = person('dora', ['dba']);
    const { request } = approvals.open(heldStatement(dba));
    expect(codeOf(() => approvals.decide(request.id, dba, 'approve', ''))).toBe('not_allowed');
    expect(codeOf(() => approvals.decide(request.id, dba, 'deny', ''))).toBe('not_allowed');
    expect(approvals.get(dba, request.id).state).toBe('pending');
  });

  it('is for the requester where the flow allows self-approval', () => {
    const { approvals } = desk([flow('dba-review', { selfApproval: true })]);
    const dba = person('dora', ['dba']);
    const { request } = approvals.open(heldStatement(dba));
    expect(approvals.decide(request.id, dba, 'approve', '').state).toBe('approved');
  });

  it('does not count a self-approval for the flow that refuses it', () => {
    const { approvals } = desk([flow('dba-review'), flow('lax', { selfApproval: true })]);
    const dba = person('dora', ['dba']);
    const { request } = approvals.open(heldStatement(dba, { flows: ['dba-review', 'lax'] }));
    expect(approvals.decide(request.id, dba, 'approve', '').state).toBe('pending');
    expect(approvals.decide(request.id, bob, 'approve', '').state).toBe('approved');
  });

  it('is for the same subject of another issuer: that is another person', () => {
    const { approvals } = desk();
    const { request } = approvals.open(heldStatement(alice));
    const other = person('alice', ['dba'], { issuer: 'https://other.example.com', email: 'another@example.com' });
    expect(approvals.decide(request.id, other, 'approve', '').state).toBe('approved');
  });

  it.each([
    ['a machine', person('robot', ['dba'], { machine: true })],
    ['a token of a provider without reviewers', person('rita', ['dba'], { mayReview: false })],
    ['someone in none of the groups', carol],
  ])('is not for %s: not_allowed, exit 4', (_who, viewer) => {
    const { approvals } = desk([flow('dba-review', { reviewers: [{ groups: ['dba'], count: 1 }] })]);
    const { request } = approvals.open(heldStatement(alice));
    expect(codeOf(() => approvals.decide(request.id, viewer, 'approve', ''))).toBe('not_allowed');
    expect(codeOf(() => approvals.decide(request.id, viewer, 'deny', ''))).toBe('not_allowed');
    approvals.decide(request.id, bob, 'approve', '');
    expect(codeOf(() => approvals.decide(request.id, viewer, 'approve', ''))).toBe('not_allowed');
  });

  it('answers not_found for an id that is not there', () => {
    const { approvals } = desk();
    expect(codeOf(() => approvals.decide('019abcde-0000-7000-8000-000000000000', bob, 'approve', ''))).toBe(
      'not_found',
    );
  });
});

describe('viewing', () => {
  it('shows the requester and the reviewers, and says not_found to anyone else', () => {
    const { approvals } = desk();
    const { request } = approvals.open(heldStatement(alice));
    const all = { state: 'all', mine: false } as const;
    expect(approvals.list(alice, all)).toHaveLength(1);
    expect(approvals.list(bob, all)).toHaveLength(1);
    expect(approvals.list(carol, all)).toHaveLength(0);
    const unseen = () => approvals.get(carol, request.id);
    const missing = () => approvals.get(carol, '019abcde-0000-7000-8000-000000000000');
    expect([codeOf(unseen), codeOf(missing)]).toEqual(['not_found', 'not_found']);
    expect(unseen).toThrow('no such request');
    expect(missing).toThrow('no such request');
  });

  it('lists newest first, by state and by owner', () => {
    const { approvals } = desk();
    const first = approvals.open(heldStatement(alice)).request;
    const second = approvals.open(heldStatement(person('zoe', ['dba']))).request;
    approvals.decide(first.id, bob, 'deny', '');
    const ids = (viewer = bob, state: 'pending' | 'all' = 'all', mine = false) =>
      approvals.list(viewer, { state, mine }).map((request) => request.id);
    expect(ids()).toEqual([second.id, first.id]);
    expect(ids(bob, 'pending')).toEqual([second.id]);
    expect(ids(bob, 'all', true)).toEqual([]);
    expect(ids(alice, 'all', true)).toEqual([first.id]);
  });
});

describe('the end of the agent', () => {
  it('cancels all that wait and opens nothing more', async () => {
    const { approvals, store, time } = desk();
    const waits = [approvals.open(heldStatement(alice)), approvals.open(heldStatement(alice))];
    approvals.close();
    for (const { outcome } of waits)
      expect(await outcome).toEqual({ state: 'cancelled', by: '', reason: 'agent stopped' });
    expect(store.list({ state: 'pending' })).toEqual([]);
    expect(time.pending).toBe(0);
    expect(codeOf(() => approvals.open(heldStatement(alice)))).toBe('failed');
  });

  it('lets go of those who wait though the store fails', async () => {
    const { approvals, store } = desk();
    const { outcome } = approvals.open(heldStatement(alice));
    store.failing = true;
    expect(() => approvals.close()).toThrow('disk full');
    expect((await outcome).state).toBe('cancelled');
  });

  it('cancels at the next start what a killed agent left pending', () => {
    const { approvals, store, time } = desk();
    const { request } = approvals.open(heldStatement(alice));
    createApprovals({
      store,
      grants: store.grants,
      flow: () => undefined,
      clock: time.clock,
      newId: () => '',
      setTimer: time.setTimer,
      clearTimer: time.clearTimer,
      onEvent: () => undefined,
    });
    expect(store.get(request.id)).toMatchObject({ state: 'cancelled', decisionReason: 'agent ended' });
  });
});

it('takes the timers of Node as they are', () => {
  const { store, time } = desk();
  const approvals = createApprovals({
    store,
    grants: store.grants,
    flow: () => flow('dba-review'),
    clock: time.clock,
    newId: () => 'x',
    setTimer: setTimeout,
    clearTimer: clearTimeout,
    onEvent: () => undefined,
  });
  const { request } = approvals.open(heldStatement(alice));
  expect(approvals.withdraw(request.id, 'done')).toBe(true);
});
