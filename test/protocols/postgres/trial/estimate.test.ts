import { describe, expect, it } from 'vitest';
import { estimatedRows } from '../../../../src/protocols/postgres/trial/estimate.js';

const answer = (plan: object): string => JSON.stringify([{ Plan: plan }]);

describe('rows of a plan', () => {
  it('are those of a read, rounded', () => {
    expect(estimatedRows(answer({ 'Node Type': 'Seq Scan', 'Plan Rows': 12.6 }))).toBe(13);
  });

  it('are those that a change is given, since a change itself gives none', () => {
    const scan = { 'Node Type': 'Seq Scan', 'Parent Relationship': 'Outer', 'Plan Rows': 40 };
    const sub = { 'Node Type': 'Result', 'Parent Relationship': 'SubPlan', 'Plan Rows': 7 };
    expect(estimatedRows(answer({ 'Node Type': 'ModifyTable', 'Plan Rows': 0, Plans: [scan, sub] }))).toBe(40);
  });

  it('are those of every partition that a server before 14 changes, and of a change within a CTE', () => {
    const part = { 'Node Type': 'Seq Scan', 'Parent Relationship': 'Member', 'Plan Rows': 10 };
    const change = {
      'Node Type': 'ModifyTable',
      'Parent Relationship': 'InitPlan',
      'Plan Rows': 0,
      Plans: [part, part],
    };
    expect(estimatedRows(answer({ 'Node Type': 'CTE Scan', 'Plan Rows': 1, Plans: [change] }))).toBe(20);
  });

  it.each(['', '{', '[]', '[{"Plan":3}]', '[{"Plan":{"Node Type":"Result"}}]', 'null'])(
    'are unknown from %j',
    (json) => {
      expect(estimatedRows(json)).toBeUndefined();
    },
  );
});
