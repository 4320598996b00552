import { describe, expect, it } from 'vitest';
import {
  FailureBudget,
  FailureBudgets,
  FORGOTTEN_IN_MS,
  MAX_TOLD_BITS,
  mayDependOnValues,
} from '../../../../src/protocols/postgres/lineage/failure-budget.js';

const MINUTE = 60_000;

describe('what failures may tell', () => {
  it('is ten failures in a row; the eleventh closes it for an hour and six minutes', () => {
    const budget = new FailureBudget();
    for (let count = 0; count < MAX_TOLD_BITS; count += 1) budget.failed(0, 0);
    expect(budget.closedForMs(0)).toBe(0);
    budget.failed(0, 0);
    expect(budget.closedForMs(0)).toBeCloseTo(1.1 * FORGOTTEN_IN_MS);
    expect(budget.closedForMs(67 * MINUTE)).toBe(0);
  });

  it('is ten failures an hour for good, however long one waits', () => {
    const budget = new FailureBudget();
    let failures = 0;
    for (let minute = 0; minute < 48 * 60; minute += 1) {
      if (budget.closedForMs(minute * MINUTE) > 0) continue;
      budget.failed(minute * MINUTE, 0);
      failures += 1;
    }
    expect(failures).toBeLessThan(48 * 10 + 11);
    expect(failures).toBeGreaterThan(48 * 9);
  });

  it('weighs a failure by the logarithm of the answers and rows before it, and is paid back in proportion', () => {
    const budget = new FailureBudget();
    budget.failed(0, 0);
    for (let count = 0; count < 100_000; count += 1) budget.passed(0, false);
    expect(budget.closedForMs(0)).toBe(0);
    budget.failed(0, (1 << 20) - 100_001);
    expect(budget.closedForMs(0)).toBeCloseTo((22 / MAX_TOLD_BITS) * FORGOTTEN_IN_MS);
  });

  it('counts a first failure as one, however many answers came before it', () => {
    const budget = new FailureBudget();
    for (let count = 0; count < 100_000; count += 1) budget.passed(0, false);
    budget.failed(0, 0);
    expect(budget.closedForMs(0)).toBe(0);
    budget.failed(0, 255);
    expect(budget.closedForMs(0)).toBe(0);
    budget.failed(0, 0);
    expect(budget.closedForMs(0)).toBeGreaterThan(0);
  });

  it('forgets answers after an hour', () => {
    const budget = new FailureBudget();
    const later = FORGOTTEN_IN_MS + 1;
    for (let count = 0; count < 100_000; count += 1) budget.passed(0, false);
    budget.passed(later, true);
    budget.failed(later, 0);
    expect(budget.closedForMs(later)).toBe(0);
  });

  it('counts a statement that may take its time by a value as one bit, also where it does not fail', () => {
    const budget = new FailureBudget();
    for (let count = 0; count < 11; count += 1) budget.passed(0, true);
    expect(budget.closedForMs(0)).toBeGreaterThan(0);
  });

  it('is kept for each caller, of 3 callers where 3 are the limit', () => {
    const budgets = new FailureBudgets(3);
    const [one, two] = [budgets.of('one'), budgets.of('two')];
    budgets.of('three');
    expect(budgets.of('one')).toBe(one);
    budgets.of('four');
    expect(budgets.of('one')).toBe(one);
    expect(budgets.of('two')).not.toBe(two);
  });

  it.each([
    ['22012', false, true],
    ['22P02', false, true],
    ['22P02', true, false],
    ['21000', false, true],
    ['23505', false, true],
    ['42704', false, true],
    ['42703', true, false],
    ['P0001', false, true],
    ['54000', false, true],
    ['25P02', false, false],
    ['40001', false, false],
    ['57014', false, false],
  ])('takes the error %s, with a position: %s, for an answer about values: %s', (code, positioned, tells) => {
    expect(mayDependOnValues(code, positioned)).toBe(tells);
  });
});
