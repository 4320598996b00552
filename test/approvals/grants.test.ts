import { describe, expect, it } from 'vitest';
import type { Approvals } from '../../src/approvals/approvals.js';
import type { GrantQuery } from '../../src/approvals/grants.js';
import type { ApprovalFlowResource } from '../../src/core/resources.js';
import { desk, flow, heldStatement, person } from './desk.js';

const alice = person('alice', ['engineering']);
const bob = person('bob', ['dba']);

function query(more: Partial<GrantQuery> = {}): GrantQuery {
  return {
    bindHash: 'aa',
    session: 'session-1',
    connection: 'postgres',
    credential: 'hoop_app',
    requester: alice,
    flows: ['dba-review'],
    ...more,
  };
}

function approved(grant: Partial<ApprovalFlowResource['grant']>) {
  const all = desk([
    flow('dba-review', { grant: { scope: 'statement', ttlMs: 600_000, unlimitedUses: false, ...grant } }),
    flow('other'),
  ]);
  const { request } = all.approvals.open(heldStatement(alice));
  all.approvals.decide(request.id, bob, 'approve', '');
  return { ...all, request };
}

/** The requests behind the grants that a statement runs under. */
function taken(approvals: Approvals, asked: GrantQuery): readonly string[] | undefined {
  const grants = approvals.takeGrant(asked);
  return grants && [...new Set(grants.map((grant) => grant.request))];
}

describe('a grant of scope statement', () => {
  it('is used up by the run that waited', () => {
    expect(taken(approved({}).approvals, query())).toBeUndefined();
  });

  it('is good for 1 run within 10 min where the held run never began', () => {
    const { approvals, request } = approved({});
    approvals.giveBack(request.id);
    expect(taken(approvals, query())).toEqual([request.id]);
    expect(taken(approvals, query())).toBeUndefined();
    approvals.giveBack(request.id);
    expect(taken(approvals, query())).toBeUndefined();
  });

  it('ends with its ttl', () => {
    const { approvals, request, time } = approved({});
    approvals.giveBack(request.id);
    time.advance(600_000);
    expect(taken(approvals, query())).toBeUndefined();
  });

  it('lasts for its ttl with unlimited uses, for that exact statement', () => {
    const { approvals, request, time } = approved({ unlimitedUses: true });
    for (let run = 0; run < 3; run += 1) expect(taken(approvals, query({ session: `s${run}` }))).toEqual([request.id]);
    expect(taken(approvals, query({ bindHash: 'bb' }))).toBeUndefined();
    time.advance(599_999);
    expect(taken(approvals, query())).toEqual([request.id]);
    time.advance(1);
    expect(taken(approvals, query())).toBeUndefined();
  });
});

describe('a grant of scope session', () => {
  it('covers other statements of that session under that flow, and no other session', () => {
    const { approvals, request } = approved({ scope: 'session' });
    expect(taken(approvals, query({ bindHash: 'bb' }))).toEqual([request.id]);
    expect(taken(approvals, query({ bindHash: 'cc' }))).toEqual([request.id]);
    expect(taken(approvals, query({ session: 'session-2' }))).toBeUndefined();
    expect(taken(approvals, query({ flows: ['other'] }))).toBeUndefined();
    expect(taken(approvals, query({ flows: ['dba-review', 'other'] }))).toBeUndefined();
    expect(taken(approvals, query({ flows: [] }))).toBeUndefined();
  });
});

describe('a grant of scope connection', () => {
  it('covers other sessions on that connection until its ttl', () => {
    const { approvals, request, time } = approved({ scope: 'connection' });
    expect(taken(approvals, query({ bindHash: 'bb', session: 'session-2' }))).toEqual([request.id]);
    expect(taken(approvals, query({ connection: 'other' }))).toBeUndefined();
    time.advance(600_000);
    expect(taken(approvals, query())).toBeUndefined();
  });
});

describe('every grant', () => {
  it.each(['statement', 'session', 'connection'] as const)(
    'of scope %s holds for its requester and credential alone',
    (scope) => {
      const { approvals } = approved({ scope, unlimitedUses: true });
      expect(taken(approvals, query({ requester: person('eve', []) }))).toBeUndefined();
      expect(taken(approvals, query({ requester: { ...alice, issuer: 'https://other.example.com' } }))).toBeUndefined();
      expect(taken(approvals, query({ credential: 'hoop_admin' }))).toBeUndefined();
      expect(taken(approvals, query())).toBeDefined();
    },
  );

  it('ends with the agent', () => {
    const { approvals } = approved({ scope: 'connection' });
    approvals.close();
    expect(taken(approvals, query())).toBeUndefined();
  });

  it('comes of an approval only', () => {
    const { approvals, time } = desk([
      flow('dba-review', { grant: { scope: 'connection', ttlMs: 600_000, unlimitedUses: true } }),
    ]);
    const denied = approvals.open(heldStatement(alice)).request;
    approvals.decide(denied.id, bob, 'deny', '');
    const withdrawn = approvals.open(heldStatement(alice)).request;
    approvals.withdraw(withdrawn.id, '');
    approvals.open(heldStatement(alice));
    time.advance(300_000);
    approvals.giveBack(denied.id);
    expect(taken(approvals, query())).toBeUndefined();
  });
});
