import { describe, expect, it } from 'vitest';
import type { Approvals, OpenInput } from '../../src/approvals/approvals.js';
import type { AccessQuery } from '../../src/approvals/grants.js';
import { HoopError } from '../../src/core/errors.js';
import type { Identity } from '../../src/core/identity.js';
import { desk, flow, heldStatement, person } from './desk.js';

const HOUR = 3_600_000;
const alice = person('alice', ['engineering']);
const bob = person('bob', ['dba']);

function access(requester: Identity, more: Partial<OpenInput> = {}): OpenInput {
  const asked = { kind: 'access', session: '', statement: 0, rules: [], bindHash: 'acc', durationMs: HOUR } as const;
  return heldStatement(requester, { ...asked, ...more });
}

const query = (more: Partial<AccessQuery> = {}): AccessQuery => ({
  connection: 'postgres',
  credential: 'hoop_app',
  requester: alice,
  flow: 'dba-review',
  ...more,
});

function granted(approvals: Approvals, input: OpenInput = access(alice)) {
  const { request } = approvals.open(input);
  return approvals.decide(request.id, bob, 'approve', '');
}

function codeOf(run: () => unknown): string {
  try {
    run();
    return 'none';
  } catch (error) {
    if (error instanceof HoopError) return error.code;
    throw error;
  }
}

describe('time-bound access', () => {
  it('is for the time asked, its person, connection, credential and flow alone', () => {
    const { approvals, time } = desk();
    granted(approvals);
    expect(approvals.accessGrant(query())).toMatchObject({ kind: 'access', scope: 'connection' });
    for (const other of [{ connection: 'x' }, { credential: 'x' }, { requester: bob }, { flow: 'x' }])
      expect(approvals.accessGrant(query(other))).toBeUndefined();
    time.advance(HOUR - 1);
    expect(approvals.accessGrant(query())).toBeDefined();
    time.advance(1);
    expect(approvals.accessGrant(query())).toBeUndefined();
    expect(approvals.grants(alice, { state: 'all', mine: true }, false)).toMatchObject([{ state: 'expired' }]);
  });

  it('lets no statement through, and an approved statement gives no access', () => {
    const { approvals } = desk([
      flow('dba-review', { grant: { scope: 'connection', ttlMs: HOUR, unlimitedUses: false } }),
    ]);
    granted(approvals);
    const statement = { bindHash: 'acc', session: '', connection: 'postgres', credential: 'hoop_app' };
    expect(approvals.takeGrant({ ...statement, requester: alice, flows: ['dba-review'] })).toBeUndefined();
    const zoe = person('zoe', []);
    granted(approvals, heldStatement(zoe));
    expect(approvals.accessGrant(query({ requester: zoe }))).toBeUndefined();
  });

  it('outlives the agent, and a request for it too; what was for statements does not', () => {
    const grant = { scope: 'connection', ttlMs: HOUR, unlimitedUses: false } as const;
    const first = desk([flow('dba-review', { grant, expiryMs: 2 * HOUR })]);
    granted(first.approvals);
    granted(first.approvals, heldStatement(alice));
    const waiting = first.approvals.open(access(person('zoe', []))).request;
    first.approvals.close();
    expect(first.approvals.accessGrant(query())).toBeUndefined();
    const next = desk([flow('dba-review', { grant })], undefined, first);
    expect(next.approvals.accessGrant(query())).toBeDefined();
    const states = next.approvals
      .grants(alice, { state: 'all', mine: true }, false)
      .map(({ kind, state }) => [kind, state]);
    expect(states).toEqual([
      ['statement', 'ended'],
      ['access', 'active'],
    ]);
    expect(next.approvals.get(bob, waiting.id).state).toBe('pending');
    next.time.advance(2 * HOUR);
    expect(next.approvals.get(bob, waiting.id).state).toBe('expired');
    expect(next.approvals.accessGrant(query())).toBeUndefined();
  });

  it('waits as long as the flow’s expiry, which is apart from its wait and the life of its grants', () => {
    const { approvals } = desk([flow('dba-review', { waitMs: 1_000, expiryMs: 2 * HOUR })]);
    const { request } = approvals.open(access(alice));
    expect(Date.parse(request.expiresAt) - Date.parse(request.createdAt)).toBe(2 * HOUR);
  });

  it('is shortened by a reviewer, never lengthened', () => {
    const { approvals, time } = desk();
    const { request } = approvals.open(access(alice));
    expect(codeOf(() => approvals.decide(request.id, bob, 'approve', '', 2 * HOUR))).toBe('usage');
    approvals.decide(request.id, bob, 'approve', '', HOUR / 2);
    expect(approvals.accessGrant(query())?.expiresAt).toBe(new Date(time.nowMs + HOUR / 2).toISOString());
  });

  it('is refused beyond the flow’s maxDuration', () => {
    const { approvals } = desk([flow('dba-review', { maxDurationMs: HOUR / 2 })]);
    expect(codeOf(() => approvals.open(access(alice)))).toBe('usage');
  });
});

describe('a statement approved for a time', () => {
  const statement = { bindHash: 'aa', session: 's', connection: 'postgres', credential: 'hoop_app', requester: alice };

  it('runs again without asking until then, where the flow has a maxDuration', () => {
    const { approvals, time } = desk([flow('dba-review', { maxDurationMs: HOUR })]);
    const { request } = approvals.open(heldStatement(alice));
    expect(approvals.longestGrant(request)).toBe(HOUR);
    approvals.decide(request.id, bob, 'approve', '', HOUR / 2);
    const take = () => approvals.takeGrant({ ...statement, flows: ['dba-review'] });
    expect([take(), take()].every((grants) => grants?.length === 1)).toBe(true);
    time.advance(HOUR / 2);
    expect(take()).toBeUndefined();
  });

  it('is not possible without, and needs everyone who approves to say so', () => {
    const without = desk().approvals;
    const one = without.open(heldStatement(alice)).request;
    expect(codeOf(() => without.decide(one.id, bob, 'approve', '', HOUR))).toBe('usage');
    const { approvals } = desk([
      flow('dba-review', { maxDurationMs: HOUR, reviewers: [{ groups: ['dba'], count: 2 }] }),
    ]);
    const { request } = approvals.open(heldStatement(alice));
    approvals.decide(request.id, bob, 'approve', '', HOUR);
    approvals.decide(request.id, person('dora', ['dba']), 'approve', '');
    expect(approvals.takeGrant({ ...statement, flows: ['dba-review'] })).toBeUndefined();
  });
});

describe('revoking', () => {
  it('is for the owner, a reviewer and an administrator; to others the grant is not there', () => {
    const by = (who: Identity, everyone = false) => {
      const { approvals } = desk();
      granted(approvals);
      const [grant] = approvals.grants(alice, { state: 'active', mine: true }, false);
      const code = codeOf(() => approvals.revoke(who, grant?.id ?? '', 'enough', everyone));
      return [code, approvals.accessGrant(query()) === undefined];
    };
    expect(by(alice)).toEqual(['none', true]);
    expect(by(bob)).toEqual(['none', true]);
    expect(by(person('carol', ['sales']))).toEqual(['not_found', false]);
    expect(by(person('root', ['admins']), true)).toEqual(['none', true]);
  });

  it('happens once, says who was first, tells of it, and takes the request’s id too', () => {
    const { approvals, events, time } = desk();
    const request = granted(approvals);
    expect(approvals.revoke(bob, request.id, 'enough', false)).toMatchObject([
      { state: 'revoked', endedBy: 'bob@example.com', endReason: 'enough' },
    ]);
    expect(() => approvals.revoke(alice, request.id, '', false)).toThrow('revoked already by bob@example.com');
    expect(events.at(-1)).toMatchObject({ type: 'grant.ended', grant: { state: 'revoked' } });
    expect(time.pending).toBe(0);
  });
});

describe('break-glass', () => {
  const oncall = person('olga', ['oncall']);
  const flows = [flow('dba-review', { breakGlass: { groups: ['oncall'] }, reasonRequired: true })];

  it('goes ahead at once with a reason, and only one of its people', async () => {
    const { approvals, events } = desk(flows);
    const { request, outcome } = approvals.open(heldStatement(oncall, { reason: 'site is down' }));
    expect(request).toMatchObject({ state: 'approved', breakGlass: true, decidedBy: 'break-glass' });
    expect(await outcome).toEqual({ state: 'approved', by: 'break-glass', reason: 'site is down' });
    expect(events.map(({ type }) => type)).toEqual(['requested', 'resolved']);
    expect(approvals.open(heldStatement(alice, { reason: 'x' })).request.state).toBe('pending');
    expect(codeOf(() => approvals.open(heldStatement(oncall)))).toBe('usage');
    const robot = person('robot', ['oncall'], { machine: true });
    expect(approvals.open(heldStatement(robot, { reason: 'x' })).request.state).toBe('pending');
  });

  it('waits in the list of reviewers until one of them looked at it, once', () => {
    const { approvals } = desk(flows);
    const { request } = approvals.open(heldStatement(oncall, { reason: 'down' }));
    const waiting = (who: Identity) => approvals.list(who, { state: 'pending', mine: false }).map(({ id }) => id);
    expect(waiting(bob)).toEqual([request.id]);
    expect(codeOf(() => approvals.decide(request.id, oncall, 'approve', ''))).toBe('not_allowed');
    const reviewed = approvals.decide(request.id, bob, 'approve', 'fine');
    expect(reviewed).toMatchObject({ state: 'approved', review: { verdict: 'accepted', by: 'bob@example.com' } });
    expect(waiting(bob)).toEqual([]);
    expect(() => approvals.decide(request.id, person('dora', ['dba']), 'deny', '')).toThrow('reviewed already by bob');
  });

  it('for access gives it at once, and whoever objects afterwards ends it', () => {
    const { approvals } = desk(flows);
    const { request } = approvals.open(access(oncall, { reason: 'down' }));
    expect(approvals.accessGrant(query({ requester: oncall }))).toBeDefined();
    expect(approvals.decide(request.id, bob, 'deny', 'no incident').review?.verdict).toBe('objected');
    expect(approvals.accessGrant(query({ requester: oncall }))).toBeUndefined();
  });

  it('of a statement lets nothing else through', () => {
    const grant = { scope: 'connection', ttlMs: HOUR, unlimitedUses: false } as const;
    const { approvals } = desk([flow('dba-review', { breakGlass: { groups: ['oncall'] }, grant })]);
    approvals.open(heldStatement(oncall, { reason: 'down' }));
    expect(approvals.grants(oncall, { state: 'all', mine: true }, false)).toEqual([]);
  });
});

it('is completed after it was opened, and those who watch it are told', () => {
  const { approvals, events } = desk();
  const { request } = approvals.open(heldStatement(alice));
  const seen: unknown[] = [];
  const stop = approvals.watch(request.id, (now) => seen.push(now.impact));
  approvals.complete(request.id, { impact: { estimatedRows: 7 } });
  stop();
  approvals.complete(request.id, { impact: { estimatedRows: 8 } });
  expect(seen).toEqual([{ estimatedRows: 7 }]);
  expect(events.map(({ type }) => type)).toEqual(['requested', 'updated', 'updated']);
  expect(approvals.get(bob, request.id).impact).toEqual({ estimatedRows: 8 });
});
