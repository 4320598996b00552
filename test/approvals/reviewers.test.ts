import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ApprovalRequest } from '../../src/core/approval.js';
import { meetsGroups } from '../../src/core/identity.js';
import type { ApprovalFlowResource } from '../../src/core/resources.js';
import { isMet, mayReview } from '../../src/approvals/reviewers.js';
import { flow, heldStatement, person } from './desk.js';

type Entries = ApprovalFlowResource['reviewers'];

function requestWith(voters: readonly (readonly string[])[]): ApprovalRequest {
  return {
    ...heldStatement(person('alice', [])),
    id: '',
    createdAt: '',
    expiresAt: '',
    state: 'pending',
    decidedBy: '',
    decidedAt: '',
    decisionReason: '',
    votes: voters.map((groups, index) => ({ ...person(`p${index}`, groups), at: '' })),
  };
}

function met(reviewers: Entries, voters: readonly (readonly string[])[]): boolean {
  return isMet(flow('f', { reviewers }), requestWith(voters));
}

/** Tries every way to give each place to a person. */
function metByTrying(reviewers: Entries, voters: readonly (readonly string[])[]): boolean {
  const places = reviewers.flatMap((entry) => Array.from({ length: entry.count }, () => entry.groups));
  const fill = (place: number, free: readonly (readonly string[])[]): boolean => {
    const wanted = places[place];
    if (wanted === undefined) return place > 0;
    return free.some(
      (groups, index) =>
        meetsGroups(wanted, { groups }) &&
        fill(
          place + 1,
          free.filter((_, other) => other !== index),
        ),
    );
  };
  return fill(0, voters);
}

describe('reviewer entries', () => {
  const two: Entries = [
    { groups: ['dba'], count: 1 },
    { groups: ['security'], count: 1 },
  ];

  it('are not both met by 1 person in 2 groups', () => {
    expect(met(two, [['dba', 'security']])).toBe(false);
  });

  it('are met by 2 people, whoever came first', () => {
    expect(met(two, [['dba', 'security'], ['dba']])).toBe(true);
    expect(met(two, [['dba'], ['dba', 'security']])).toBe(true);
    expect(met(two, [['dba'], ['dba']])).toBe(false);
  });

  it('ask for 2 people where the count is 2', () => {
    const pair: Entries = [{ groups: ['dba'], count: 2 }];
    expect(met(pair, [['dba']])).toBe(false);
    expect(met(pair, [['dba'], ['dba']])).toBe(true);
  });

  it('are never met when there are none', () => {
    expect(met([], [['dba']])).toBe(false);
  });

  it('are met exactly when some assignment of people to places exists', () => {
    const groups = fc.subarray(['a', 'b', 'c', '*'], { minLength: 1 });
    const entries = fc.array(fc.record({ groups, count: fc.integer({ min: 1, max: 2 }) }), { maxLength: 3 });
    const voters = fc.array(fc.subarray(['a', 'b', 'c']), { maxLength: 5 });
    fc.assert(
      fc.property(entries, voters, (reviewers, people) => met(reviewers, people) === metByTrying(reviewers, people)),
      { numRuns: 500 },
    );
  });
});

describe('someone with accounts at two trusted providers', () => {
  const elsewhere = { issuer: 'https://other.example.com' };
  const dba = { reviewers: [{ groups: ['dba'], count: 2 }] };
  const request = (votes: ApprovalRequest['votes']): ApprovalRequest => ({ ...requestWith([]), votes });

  it('does not decide their own request by the other account', () => {
    const other = person('a-7', ['dba'], { ...elsewhere, email: 'Alice@Example.com' });
    expect(mayReview(flow('f', dba), request([]), other)).toBe(false);
    expect(mayReview(flow('f', { ...dba, selfApproval: true }), request([]), other)).toBe(true);
    expect(mayReview(flow('f', dba), request([]), person('b-7', ['dba'], elsewhere))).toBe(true);
  });

  it('counts once, however often they vote', () => {
    const vote = (subject: string, more: Parameters<typeof person>[2] = {}) => ({
      ...person(subject, ['dba'], more),
      at: '',
    });
    const bo = vote('bo');
    expect(isMet(flow('f', dba), request([bo, vote('b-9', { ...elsewhere, email: 'BO@example.com' })]))).toBe(false);
    expect(isMet(flow('f', dba), request([bo, vote('bo', elsewhere)]))).toBe(false);
    expect(isMet(flow('f', dba), request([bo, vote('eve', elsewhere)]))).toBe(true);
  });

  it('is nobody in particular where no address is told', () => {
    const nobody = { ...elsewhere, email: '' };
    const votes = [
      { ...person('x', ['dba'], { email: '' }), at: '' },
      { ...person('y', ['dba'], nobody), at: '' },
    ];
    expect(isMet(flow('f', dba), request(votes))).toBe(true);
  });
});
