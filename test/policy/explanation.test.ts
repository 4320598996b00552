import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../src/policy/decide.js';
import { explain } from '../../src/policy/explanation.js';
import type { TracedPart } from '../../src/policy/expression-trace.js';
import { contextOf, policy, setOf, sqlFacts } from './policy-fixtures.js';

function why(when: string, facts: Parameters<typeof sqlFacts>[0] = {}): TracedPart {
  const set = setOf(policy('p', { rules: [{ name: 'r', when, action: 'block' }] }));
  const [outcome] = explain(set, contextOf(), sqlFacts(facts));
  if (outcome?.why === undefined) throw new Error('not traced');
  return outcome.why;
}

describe('explain', () => {
  it('names of a false `&&` the operand that was false, with the fact that it read', () => {
    const part = why('"select" in sql.effects && sql.statements > 1 && user.machine', { statements: 1 });
    expect(part).toMatchObject({ value: false });
    expect(part.because.map(({ text, value, facts }) => [text, value, facts])).toEqual([
      ['sql.statements > 1', false, [{ name: 'sql.statements', value: 1 }]],
    ]);
  });

  it('names of a true `||` the first operand that was true, and of a false one all', () => {
    const both = '"drop" in sql.effects || "truncate" in sql.effects';
    expect(why(both, { effects: ['truncate'] }).because.map(({ text }) => text)).toEqual(['"truncate" in sql.effects']);
    expect(why(both).because.map(({ value }) => value)).toEqual([false, false]);
  });

  it('names the items that made `exists` true, and those that made `all` false', () => {
    const writes = [
      { schema: 'public', name: 'payments' },
      { schema: '', name: 'notes' },
    ];
    expect(why('sql.writes.exists(t, t.name == "payments")', { writes }).facts).toContainEqual({
      name: 'sql.writes.filter(t, t.name == "payments")',
      value: [{ schema: 'public', name: 'payments' }],
    });
    expect(why('!sql.effects.all(e, e == "select")', { effects: ['select', 'drop'] }).because[0]?.facts).toContainEqual(
      {
        name: 'sql.effects.filter(e, !(e == "select"))',
        value: ['drop'],
      },
    );
  });

  it('goes down the chosen branch of `? :` and into `matches`', () => {
    const part = why('sql.opaque ? true : sql.text.matches("(?i)^select")');
    expect(part.because.map(({ text, value }) => [text, value])).toEqual([
      ['sql.opaque', false],
      ['sql.text.matches("(?i)^select")', true],
    ]);
  });

  it('says why a condition could not be evaluated, and that the rule therefore blocks', () => {
    const set = setOf(policy('p', { rules: [{ name: 'r', when: 'user.attributes["team"] == "a"', action: 'allow' }] }));
    const [outcome] = explain(set, contextOf(), sqlFacts());
    expect(outcome).toMatchObject({ result: 'failed', match: { action: 'block' }, why: { value: undefined } });
    expect(outcome?.why?.error).toMatch(/no such key/);
  });

  it('gives an untried rule its missing facts and no reason, and tells of what blocks beside the rules', () => {
    const set = setOf(
      policy('p', { default: 'block', rules: [{ name: 'r', when: 'http.method == "GET"', action: 'allow' }] }),
    );
    expect(explain(set, contextOf(), sqlFacts())).toMatchObject([
      { rule: 'r', result: 'not-tried', missing: ['http'], why: undefined },
      { rule: 'default', result: 'matched', action: 'block', why: undefined },
    ]);
  });

  it('always agrees with decide, and with what it says decided', () => {
    const leaf = fc.constantFrom('sql.opaque', 'sql.unqualifiedWrite', '"drop" in sql.effects', 'sql.statements > 1');
    const { condition } = fc.letrec<{ condition: string }>((tie) => ({
      condition: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        leaf,
        fc
          .tuple(tie('condition'), fc.constantFrom('&&', '||'), tie('condition'))
          .map(([a, op, b]) => `(${a}) ${op} (${b})`),
        tie('condition').map((inner) => `!(${inner})`),
        fc.tuple(tie('condition'), tie('condition'), tie('condition')).map(([a, b, c]) => `(${a}) ? (${b}) : (${c})`),
      ),
    }));
    const facts = fc.record({
      opaque: fc.boolean(),
      unqualified: fc.constantFrom<string[]>([], ['delete']),
      effects: fc.constantFrom(['drop'], ['select']),
      statements: fc.integer({ min: 1, max: 2 }),
    });
    fc.assert(
      fc.property(condition, facts, (when, given) => {
        const set = setOf(policy('p', { opaque: 'allow', rules: [{ name: 'r', when, action: 'block' }] }));
        const verdict = decide(set, contextOf(), sqlFacts(given));
        const [outcome] = explain(set, contextOf(), sqlFacts(given));
        expect(outcome?.why?.value).toBe(verdict.action === 'block');
      }),
      { numRuns: 60 },
    );
  });
});
