import { describe, expect, it } from 'vitest';
import { HoopError } from '../../src/core/errors.js';
import type { ReviewCondition } from '../../src/core/resources.js';
import { compileReviewCondition } from '../../src/policy/expression-review.js';
import { desk, flow, heldStatement, person } from './desk.js';

const alice = person('alice', ['engineering', 'team-a']);
const bob = person('bob', ['dba', 'team-a']);
const dora = person('dora', ['dba', 'team-b']);

function refusalOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof HoopError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'not refused';
}

function condition(text: string): ReviewCondition {
  const compiled = compileReviewCondition(text);
  if ('fault' in compiled) throw new Error(compiled.fault.message);
  return compiled.condition;
}

describe('what a flow asks of a request', () => {
  it('is a reason, and a ticket in it', () => {
    const { approvals } = desk([
      flow('dba-review', {
        reasonRequired: true,
        ticket: { pattern: 'OPS-[0-9]+', test: (text) => /OPS-\d+/.test(text) },
      }),
    ]);
    const open = (reason: string) => refusalOf(() => approvals.open(heldStatement(alice, { reason })));
    expect(open('  ')).toBe('usage: dba-review asks for a reason');
    expect(open('please')).toBe('usage: dba-review asks for a reason that holds OPS-[0-9]+');
    expect(open('OPS-12: refund')).toBe('not refused');
  });

  it('is the hour: outside nothing opens and nothing is approved, but still denied', () => {
    const schedule = { days: [6], fromMinute: 600, toMinute: 720, timezone: 'UTC' };
    const { approvals, time, configured } = desk([flow('dba-review', { schedule, waitMs: 86_400_000 })]);
    const { request } = approvals.open(heldStatement(alice));
    const second = approvals.open(heldStatement(alice)).request;
    time.advance(2 * 3_600_000);
    expect(refusalOf(() => approvals.open(heldStatement(alice)))).toBe(
      'approval_denied: dba-review gives approvals only within sat 10:00–12:00 UTC',
    );
    expect(refusalOf(() => approvals.decide(request.id, bob, 'approve', ''))).toContain('approval_denied');
    expect(approvals.decide(request.id, bob, 'deny', 'too late').state).toBe('denied');
    configured.set('dba-review', flow('dba-review'));
    expect(approvals.decide(second.id, bob, 'approve', '').state).toBe('approved');
  });

  it('ends what it gives with its hours', () => {
    const schedule = { days: [6], fromMinute: 0, toMinute: 605, timezone: 'UTC' };
    const grant = { scope: 'session', ttlMs: 3_600_000, unlimitedUses: false } as const;
    const { approvals } = desk([flow('dba-review', { schedule, grant })]);
    const { request } = approvals.open(heldStatement(alice));
    approvals.decide(request.id, bob, 'approve', '');
    expect(approvals.grants(alice, { state: 'active', mine: true }, false)).toMatchObject([
      { expiresAt: '2026-11-21T10:05:00.000Z' },
    ]);
  });
});

describe('a condition on reviewers', () => {
  const otherTeam = condition('reviewer.groups.exists(g, g.startsWith("team-") && !(g in request.requester.groups))');

  it('says who may decide which request, also who may deny', () => {
    const { approvals } = desk([flow('dba-review', { condition: otherTeam })]);
    const { request } = approvals.open(heldStatement(alice));
    for (const verdict of ['approve', 'deny'] as const)
      expect(refusalOf(() => approvals.decide(request.id, bob, verdict, ''))).toContain('not_allowed');
    expect(approvals.list(bob, { state: 'all', mine: false })).toEqual([]);
    expect(approvals.decide(request.id, dora, 'approve', '').state).toBe('approved');
  });

  it('of one entry counts for that entry alone', () => {
    const reviewers = [
      { groups: ['dba'], count: 1, condition: otherTeam },
      { groups: ['dba'], count: 1 },
    ];
    const { approvals } = desk([flow('dba-review', { reviewers })]);
    const { request } = approvals.open(heldStatement(alice));
    const voted = approvals.decide(request.id, bob, 'approve', '');
    expect(approvals.progress(voted)).toMatchObject([{ entries: [{ given: 0 }, { given: 1 }] }]);
    expect(approvals.decide(request.id, person('ben', ['dba', 'team-a']), 'approve', '').state).toBe('pending');
    expect(approvals.decide(request.id, dora, 'approve', '').state).toBe('approved');
  });

  it('that fails on a request gives nobody a right', () => {
    const failing = condition('request.facts["missing"] == 1');
    const { approvals } = desk([flow('dba-review', { condition: failing })]);
    const { request } = approvals.open(heldStatement(alice));
    expect(refusalOf(() => approvals.decide(request.id, dora, 'approve', ''))).toContain('not_allowed');
  });

  it('does not let a vote given for one flow count for another that does not want it', () => {
    const { approvals } = desk([flow('dba-review'), flow('strict', { condition: otherTeam })]);
    const { request } = approvals.open(heldStatement(alice, { flows: ['dba-review', 'strict'] }));
    expect(approvals.decide(request.id, bob, 'approve', '').state).toBe('pending');
    expect(approvals.decide(request.id, dora, 'approve', '').state).toBe('approved');
  });

  it('reads rules, facts and minutes of the request', () => {
    const reads = condition(
      'request.kind == "access" ? request.minutes <= 60 : request.facts.kind == "update" && "p/r" in request.rules',
    );
    const asked = heldStatement(alice, { rules: [{ rule: 'p/r', message: '' }], facts: { kind: 'update' } });
    expect(reads.holds(asked, bob)).toBe(true);
    expect(reads.holds({ ...asked, facts: { kind: 'drop' } }, bob)).toBe(false);
    expect(reads.holds({ ...asked, kind: 'access', durationMs: 3_600_001 }, bob)).toBe(false);
  });
});
