import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileExpression } from '../../src/policy/expression.js';
import { faultsOf, policy, setOf } from './policy-fixtures.js';

const rule = (when: string): Record<string, unknown> => ({ rules: [{ name: 'one', when, action: 'block' }] });

describe('compilePolicies', () => {
  it.each([
    ['sql.effets.size() > 0', 'unknown fact `effets`; did you mean `effects`?', 4],
    ['sq.effects.size() > 0', 'unknown fact `sq`; did you mean `sql`?', 0],
    ['sql.reads.exists(t, t.nam == "payments")', 'unknown fact `nam`; did you mean `name`?', 22],
    ['user.mail == "a"', 'unknown fact `mail`; did you mean `email`?', 5],
    ['user.expiresAt > 1.0', 'unknown fact `expiresAt`', 5],
    ['sql["tex"] == "a"', 'unknown fact `tex`; did you mean `text`?', 0],
    ['sql.statements == "two"', 'no such overload: int == string', 0],
    ['sql.text.shout()', "found no matching overload for 'string.shout()'", 0],
    ['sql.text', 'a condition must be true or false, this one is string', 0],
    ['sql.params[0]', 'a condition must be true or false, this one is dyn', 0],
    ['sql.effects.exists(', 'unexpected token: EOF', 19],
    ['[1, 2].exists(sql, sql == 1)', "`sql` is the name of a fact and can't name a variable", 14],
    ['cel.bind(user, "a", user == "a")', "`user` is the name of a fact and can't name a variable", 9],
    [
      'sql.text.matches("(a)\\\\1")',
      'expected a pattern in RE2 syntax (no look-around, no back references) of bounded size',
      17,
    ],
    [
      'sql.text.matches("((a{1,100}){1,100}){1,100}")',
      'expected a pattern in RE2 syntax (no look-around, no back references) of bounded size',
      17,
    ],
    ['sql.text.matches(user.email)', '`matches` needs one pattern, written as a string', 0],
    ['sql.text.re2test("a")', 'found no function of that name', 0],
  ])('refuses %s and says why and where', (when, message, offset) => {
    expect(faultsOf(policy('p', rule(when)))).toEqual([
      { policy: 'p', rule: 'one', path: ['rules', 0, 'when'], message, offset },
    ]);
  });

  it('lists the faults of 2 rules in 2 policies at once', () => {
    expect(faultsOf(policy('a', rule('nope')), policy('b', rule('sql.text'))).map((fault) => fault.policy)).toEqual([
      'a',
      'b',
    ]);
  });

  it('refuses two rules, two masks and two policies of one name', () => {
    const rules = [
      { name: 'one', when: 'true', action: 'block' },
      { name: 'one', when: 'false', action: 'warn' },
    ];
    const mask = [
      { name: 'm', entities: ['email'], strategy: 'redact' },
      { name: 'm', entities: ['phone'], strategy: 'redact' },
    ];
    expect(faultsOf(policy('p', { rules, mask }), policy('p', {})).map((fault) => fault.path)).toEqual([
      ['rules', 1, 'name'],
      ['mask', 1, 'name'],
      [],
    ]);
  });

  it('hashes to 64 hex digits that follow a rule and not the tests', () => {
    const hash = setOf(policy('p', rule('true'))).hash;
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(setOf(policy('p', { ...rule('true'), tests: [{ sql: 'SELECT 1', expect: 'block' }] })).hash).toBe(hash);
    expect(setOf(policy('p', rule('false'))).hash).not.toBe(hash);
    expect(setOf(policy('p', { ...rule('true'), mode: 'observe' })).hash).not.toBe(hash);
  });
});

describe('compileExpression', () => {
  it('gives a fault or a condition for any text, and never throws', () => {
    const words = [
      'sql',
      '.effects',
      '.exists(',
      'e',
      ',',
      ')',
      '==',
      '"a"',
      '.matches(',
      '&&',
      '(',
      '[',
      ']',
      '1',
      'cel.bind(',
      '//',
      '\n',
      '{',
      '?',
      ':',
    ];
    const texts = fc.oneof(
      fc.string(),
      fc.array(fc.constantFrom(...words), { maxLength: 12 }).map((list) => list.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const compiled = compileExpression(text);
        if ('fault' in compiled) {
          expect(compiled.fault.message).not.toBe('');
          expect(compiled.fault.offset).toBeGreaterThanOrEqual(0);
          expect(compiled.fault.offset).toBeLessThanOrEqual(text.length);
        } else expect(compiled.expression.groups).toBeInstanceOf(Array);
      }),
      { numRuns: 500 },
    );
  });

  it('refuses 60 levels of brackets and 3,000 nodes instead of running out of stack', () => {
    expect(compileExpression(`${'('.repeat(60)}true${')'.repeat(60)}`)).toHaveProperty('fault');
    expect(compileExpression(Array(3_000).fill('true').join('&&'))).toHaveProperty('fault');
  });

  it('reaches every matches() of one condition, also on what a macro gives', () => {
    const compiled = compileExpression(
      'sql.functions.map(f, f + "").exists(f, f.matches("^pg_")) || sql.text.matches("x").matches("y")',
    );
    expect(compiled).toHaveProperty('fault');
    expect(
      compileExpression('sql.functions.filter(f, f.matches("^pg_")).exists(f, f.matches("_fdw$"))'),
    ).toHaveProperty('expression');
  });
});
