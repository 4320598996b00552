import { describe, expect, it } from 'vitest';
import { desk, flow, heldStatement, person } from './desk.js';

const ann = person('ann', ['engineering']);
const bo = person('bo', ['engineering']);
const dana = person('dana', ['dba']);

describe('what one person may have waiting', () => {
  it('is 200 statements: the 201st is refused, others are served, and a decision makes room', () => {
    const { approvals } = desk();
    const opened = Array.from({ length: 200 }, () => approvals.open(heldStatement(ann)));
    expect(() => approvals.open(heldStatement(ann))).toThrow(expect.objectContaining({ code: 'limit' }));
    expect(approvals.open(heldStatement(bo)).request.state).toBe('pending');
    approvals.decide(opened[0]?.request.id ?? '', dana, 'deny', '');
    expect(approvals.open(heldStatement(ann)).request.state).toBe('pending');
    expect(approvals.list(dana, { state: 'pending', mine: false })).toHaveLength(201);
  });

  it('is 16 Mi characters of statements and values together; a single statement may be longer', () => {
    const { approvals } = desk();
    const long = heldStatement(ann, { text: 'x'.repeat(9 * 1024 * 1024), params: ['y'.repeat(1024 * 1024), null] });
    const first = approvals.open(long).request.id;
    expect(() => approvals.open(long)).toThrow(/more than 16 Mi characters of one person can not wait/);
    approvals.withdraw(first, 'left');
    const longer = heldStatement(ann, { text: 'x'.repeat(17 * 1024 * 1024) });
    expect(approvals.open(longer).request.state).toBe('pending');
  });
});

describe('a reason that says nothing', () => {
  it.each(['\u200b', '\u3164', ' \u2060\u00ad ', '...', '\ufe0f', '\u115f\u1160'])(
    'breaks no glass and is no reason where one is required: %j',
    (reason) => {
      const breakGlass = { groups: ['oncall'] };
      const olga = person('olga', ['oncall']);
      const { approvals } = desk([flow('dba-review', { breakGlass })]);
      expect(approvals.open(heldStatement(olga, { reason })).request).toMatchObject({ state: 'pending' });
      expect(approvals.open(heldStatement(olga, { reason: 'Störung 9' })).request).toMatchObject({ breakGlass: true });
      const strict = desk([flow('dba-review', { reasonRequired: true })]).approvals;
      expect(() => strict.open(heldStatement(ann, { reason }))).toThrow('dba-review asks for a reason');
    },
  );
});
