import { describe, expect, it } from 'vitest';
import { bindFacts } from '../../src/policy/bound-facts.js';
import { decide } from '../../src/policy/decide.js';
import { compileExpression } from '../../src/policy/expression.js';
import { contextOf, policy, setOf, sqlFacts } from './policy-fixtures.js';

const names = (count: number): { schema: string; name: string }[] =>
  Array.from({ length: count }, (_, index) => ({ schema: '', name: `t${String(index)}` }));

const evaluate = (text: string, count: number): boolean => {
  const compiled = compileExpression(text);
  if ('fault' in compiled) throw new Error(compiled.fault.message);
  const facts = sqlFacts({ text: 'select '.repeat(count), reads: names(count), writes: names(count) });
  return compiled.expression.evaluate(bindFacts(contextOf(), facts));
};

describe('what a condition may cost', () => {
  it.each([
    ['a walk within a walk', 'sql.reads.exists(r, sql.writes.exists(w, w.name == "x" && r.name == "y"))'],
    ['three walks', 'sql.reads.all(a, sql.reads.all(b, sql.reads.all(c, c.name != "x" || a.name == b.name)))'],
    ['a search of the text for each', 'sql.reads.exists(r, sql.text.contains(r.name + "?"))'],
    ['a pattern over the text for each', 'sql.reads.exists(r, sql.text.matches("x$"))'],
    ['a list for each', 'sql.reads.exists(r, sql.reads.map(w, w.name).size() == 0)'],
    ['membership for each', 'sql.reads.exists(r, r.name + "?" in sql.text.split(" "))'],
    ['the same behind parentheses', 'sql.reads.exists(r, ((sql.writes)).exists(w, (w.name) == "x"))'],
    ['one that would have been true in the end', 'sql.reads.all(r, sql.writes.exists(w, w.name == r.name))'],
  ])('is bounded for %s over 5,000 tables', (_what, text) => {
    expect(evaluate(text, 10)).toBeTypeOf('boolean');
    expect(() => evaluate(text, 5_000)).toThrow('too much work for one condition');
  });

  it.each([
    ['sql.reads.exists(r, r.name == "t49999")', true],
    ['sql.reads.all(r, r.name.startsWith("t") && r.name in ["t1", "t2"] || r.name != "")', true],
    ['sql.reads.filter(r, r.name == "t7").map(r, r.name) == ["t7"]', true],
    ['sql.reads.exists(r, cel.bind(n, r.name, n == "t3" && n.size() == 2))', true],
    ['sql.reads.exists_one(r, r.name.matches("^t49999$"))', true],
    ['sql.text.contains("insert") && sql.reads.size() > 1', false],
  ])('lets %s walk over 50,000 tables', (text, answer) => {
    expect(evaluate(text, 50_000)).toBe(answer);
  });

  it('blocks a statement that its rule can not be judged for, and never allows it', () => {
    const rule = { name: 'same', when: 'sql.writes.exists(w, sql.reads.exists(r, r.name + "x" == w.name))' };
    const facts = sqlFacts({ reads: names(5_000), writes: names(5_000) });
    for (const action of ['block', 'warn', 'allow'])
      expect(
        decide(setOf(policy('p', { default: 'block', rules: [{ ...rule, action }] })), contextOf(), facts).action,
      ).toBe('block');
  });

  it('can not be reached by name', () => {
    expect(compileExpression('hoopCost(sql.text) == ""')).toMatchObject({
      fault: { message: 'found no function of that name', offset: 0 },
    });
  });
});
