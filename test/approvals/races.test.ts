import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ApprovalOutcome } from '../../src/core/approval.js';
import { HoopError } from '../../src/core/errors.js';
import { desk, flow, heldStatement, person } from './desk.js';

const alice = person('alice', ['dba']);
const people = [
  person('bob', ['dba']),
  person('dora', ['dba', 'security']),
  person('sam', ['security']),
  alice,
  person('carol', []),
];

const step = fc.oneof(
  fc.record({
    kind: fc.constantFrom('approve' as const, 'deny' as const),
    who: fc.integer({ min: 0, max: people.length - 1 }),
  }),
  fc.record({ kind: fc.constant('withdraw' as const) }),
  fc.record({ kind: fc.constant('advance' as const), byMs: fc.integer({ min: 1, max: 200_000 }) }),
  fc.record({ kind: fc.constant('sleep' as const), byMs: fc.integer({ min: 1, max: 200_000 }) }),
  fc.record({ kind: fc.constant('close' as const) }),
);

it('ends every request in exactly one state, whatever races: approve, deny, withdraw, expiry, stop', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), fc.boolean(), async (steps, twoEntries) => {
      const reviewers = [{ groups: ['dba'], count: 1 }, ...(twoEntries ? [{ groups: ['security'], count: 1 }] : [])];
      const { approvals, store, time, events } = desk([flow('dba-review', { reviewers })]);
      const { request, outcome } = approvals.open(heldStatement(alice));
      const outcomes: ApprovalOutcome[] = [];
      void outcome.then((one) => outcomes.push(one));
      let succeeded = 0;
      for (const one of steps) {
        try {
          if (one.kind === 'approve' || one.kind === 'deny') {
            const after = approvals.decide(request.id, people[one.who] ?? alice, one.kind, '');
            if (after.state !== 'pending') succeeded += 1;
          } else if (one.kind === 'withdraw') succeeded += approvals.withdraw(request.id, 'gone') ? 1 : 0;
          else if (one.kind === 'advance') time.advance(one.byMs);
          else if (one.kind === 'sleep') time.nowMs += one.byMs;
          else approvals.close();
        } catch (error) {
          if (!(error instanceof HoopError)) throw error;
        }
      }
      time.advance(400_000);
      await Promise.resolve();
      const final = store.get(request.id);
      expect(succeeded).toBeLessThanOrEqual(1);
      expect(store.resolutions.get(request.id)).toBe(1);
      expect(outcomes).toHaveLength(1);
      expect(outcomes[0]?.state).toBe(final?.state);
      expect(events.filter((event) => event.type === 'resolved')).toHaveLength(1);
      expect(time.pending).toBe(0);
      if (final?.state === 'approved') expect(final.votes.some((vote) => vote.subject !== 'alice')).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});
