import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyRule, readsSql } from '../../src/policy/applies.js';
import { decide } from '../../src/policy/decide.js';
import { explain } from '../../src/policy/explanation.js';
import type { PolicyDefinition } from '../../src/policy/schema.js';
import type { Action } from '../../src/policy/types.js';
import { contextOf, policy, setOf, sqlFacts } from './policy-fixtures.js';

const rule = (name: string, when: string, action: Action = 'block', message?: string): Record<string, unknown> => ({
  name,
  when,
  action,
  ...(action === 'approve' ? { approval: `flow-of-${name}` } : {}),
  ...(message === undefined ? {} : { message }),
});

describe('decide', () => {
  it('allows, names no rule and lists nothing where no policy matches', () => {
    const set = setOf(policy('p', { match: { connections: ['other'] }, default: 'block' }));
    expect(decide(set, contextOf(), sqlFacts())).toEqual({
      action: 'allow',
      rule: '',
      message: '',
      flows: [],
      matches: [],
      policyHash: set.hash,
    });
  });

  it('lets the severest of 4 matching rules win and records all 4, severest first', () => {
    const rules = [
      rule('a', 'true', 'allow'),
      rule('w', 'true', 'warn'),
      rule('r', 'true', 'approve'),
      rule('b', 'true', 'block', 'No.'),
    ];
    const verdict = decide(setOf(policy('p', { rules })), contextOf(), sqlFacts());
    expect(verdict).toMatchObject({ action: 'block', rule: 'p/b', message: 'No.', flows: [] });
    expect(verdict.matches.map((match) => match.rule)).toEqual(['b', 'r', 'w', 'a']);
  });

  it('asks for every flow of 2 approving rules once each', () => {
    const rules = [
      rule('x', 'true', 'approve'),
      rule('y', 'true', 'approve'),
      { ...rule('z', 'true', 'approve'), approval: 'flow-of-x' },
      rule('w', 'true', 'warn'),
    ];
    const verdict = decide(setOf(policy('p', { rules })), contextOf(), sqlFacts());
    expect(verdict).toMatchObject({
      action: 'approve',
      rule: 'p/x',
      message: 'needs approval',
      flows: ['flow-of-x', 'flow-of-y'],
    });
  });

  it.each([
    [{ connections: ['post*'] }, true],
    [{ connections: ['mysql', 'p*s'] }, true],
    [{ connections: ['Postgres'] }, false],
    [{ types: ['mysql', 'postgres'] }, true],
    [{ types: ['mysql'] }, false],
    [{ labels: { env: 'prod' } }, true],
    [{ labels: { env: 'prod', tier: '1' } }, false],
    [{ labels: { constructor: 'prod' } }, false],
    [{ groups: ['*'] }, true],
    [{ groups: ['dba', 'engineering'] }, true],
    [{ groups: ['dba'] }, false],
    [{ connections: ['*'], types: ['postgres'], labels: { env: 'prod' }, groups: ['dba'] }, false],
  ])('applies a policy with match %j: %s', (match, applies) => {
    const set = setOf(policy('p', { match, rules: [rule('one', 'true')] }));
    const context = contextOf({ labels: { env: 'prod' } });
    expect(decide(set, context, sqlFacts()).action).toBe(applies ? 'block' : 'allow');
    expect(anyRule(set, context)).toBe(applies);
  });

  it('only notes what an observing policy would have done', () => {
    const set = setOf(policy('p', { mode: 'observe', default: 'block', rules: [rule('one', 'sql.opaque')] }));
    const verdict = decide(set, contextOf(), sqlFacts({ opaque: true, opaqueReason: 'dynamic text' }));
    expect(verdict).toMatchObject({ action: 'allow', rule: '', message: '' });
    expect(verdict.matches.map((match) => [match.rule, match.action, match.observed])).toEqual([
      ['one', 'block', true],
      ['default', 'block', true],
      ['opaque', 'block', true],
    ]);
    expect(readsSql(set, contextOf())).toBe(false);
    expect(anyRule(set, contextOf())).toBe(true);
  });

  it('with default block needs an allow rule of that same policy', () => {
    const strict = policy('strict', {
      default: 'block',
      rules: [rule('reads', 'sql.kind == "select"', 'allow'), rule('slow', 'true', 'warn')],
    });
    const other = policy('other', { rules: [rule('all', 'true', 'allow')] });
    const context = contextOf();
    expect(decide(setOf(strict, other), context, sqlFacts()).action).toBe('warn');
    expect(decide(setOf(strict, other), context, sqlFacts({ effects: ['insert'] }))).toMatchObject({
      action: 'block',
      rule: 'strict/default',
      message: 'no rule of this policy allows it',
    });
  });

  it('does not try a rule whose fact group this protocol lacks, and tries it where it is there', () => {
    const set = setOf(
      policy('p', { rules: [rule('web', 'http.method == "DELETE" || true'), rule('always', 'user.machine', 'warn')] }),
    );
    expect(decide(set, contextOf(), sqlFacts()).action).toBe('allow');
    expect(decide(set, contextOf(), { http: { method: 'GET' } }).rule).toBe('p/web');
    expect(
      explain(set, contextOf(), sqlFacts()).map(({ rule: name, result, missing }) => [name, result, missing]),
    ).toEqual([
      ['web', 'not-tried', ['http']],
      ['always', 'not-matched', []],
    ]);
  });

  it.each([
    ['a missing attribute', 'user.attributes.purpose == "x"'],
    ['an index out of range', 'sql.reads[3].name == "x"'],
    ['a division by zero', 'sql.statements / 0 == 1'],
    ['a value of another type', 'user.attributes.level.startsWith("a")'],
  ])('blocks for %s, naming the rule, even if it would only warn', (_what, when) => {
    const set = setOf(policy('p', { rules: [rule('shaky', when, 'warn')] }));
    const context = contextOf({ attributes: { level: 3 } });
    expect(decide(set, context, sqlFacts())).toMatchObject({
      action: 'block',
      rule: 'p/shaky',
      message: 'the condition of this rule could not be evaluated',
    });
    expect(explain(set, context, sqlFacts())[0]?.result).toBe('failed');
  });

  it('blocks a rule on a session whose start is no date', () => {
    const set = setOf(policy('p', { rules: [rule('long', 'now - session.startedAt > duration("1h")')] }));
    expect(decide(set, contextOf({ startedAt: '2026-03-01T10:59:59Z' }), sqlFacts()).rule).toBe('p/long');
    expect(decide(set, contextOf({ startedAt: '2026-03-01T11:30:00Z' }), sqlFacts()).action).toBe('allow');
    expect(decide(set, contextOf({ startedAt: 'yesterday' }), sqlFacts()).rule).toBe('p/long');
  });

  it('blocks opaque code only where a rule reads sql and opaque is not allowed', () => {
    const facts = sqlFacts({ opaque: true, opaqueReason: 'unread body' });
    const rules = [rule('never', 'sql.kind == "never"')];
    expect(decide(setOf(policy('p', { rules })), contextOf(), facts)).toMatchObject({
      rule: 'p/opaque',
      message: 'holds code that no rule can read: unread body',
      hint: 'Send what it does as statements of their own, whose text tells it; or let policy p say opaque: allow.',
    });
    expect(decide(setOf(policy('p', { rules, opaque: 'allow' })), contextOf(), facts).action).toBe('allow');
    expect(decide(setOf(policy('p', { rules: [rule('who', 'user.machine')] })), contextOf(), facts).action).toBe(
      'allow',
    );
    expect(
      decide(setOf(policy('p', { rules, opaque: 'allow' }), policy('q', { rules })), contextOf(), facts).rule,
    ).toBe('q/opaque');
  });

  it('blocks text that does not parse where a rule reads sql, even where opaque is allowed', () => {
    const facts = sqlFacts({ opaque: true, effects: [], syntaxError: { message: 'syntax error', position: 1 } });
    const rules = [rule('never', 'sql.kind == "never"')];
    const set = setOf(policy('p', { rules, opaque: 'allow' }));
    expect(decide(set, contextOf(), facts)).toMatchObject({ action: 'block', rule: 'p/unparsable' });
    expect(readsSql(set, contextOf())).toBe(true);
    expect(decide(setOf(policy('p', { rules: [rule('who', 'user.machine')] })), contextOf(), facts).action).toBe(
      'allow',
    );
  });

  it('names a written rule before an implicit one when both block', () => {
    const set = setOf(policy('p', { rules: [rule('z-dynamic', '"dynamic" in sql.effects')] }));
    expect(decide(set, contextOf(), sqlFacts({ effects: ['dynamic'], opaque: true })).rule).toBe('p/z-dynamic');
  });

  it('matches patterns in linear time: 100,000 characters against (a+)+$', () => {
    const set = setOf(policy('p', { rules: [rule('slow', String.raw`sql.text . matches ("^(a+)+$")`)] }));
    expect(decide(set, contextOf(), sqlFacts({ text: `${'a'.repeat(100_000)}!` })).action).toBe('allow');
    expect(decide(set, contextOf(), sqlFacts({ text: 'aaaa' })).action).toBe('block');
  });

  it('sees writes as objects with schema and name, and bound NULLs', () => {
    const set = setOf(
      policy('p', {
        rules: [
          rule(
            'payments',
            'sql.writes.exists(t, t.schema == "public" && t.name == "payments") && sql.params.exists(p, p == null)',
          ),
        ],
      }),
    );
    expect(
      decide(set, contextOf(), sqlFacts({ writes: [{ schema: 'public', name: 'payments' }], params: ['1', null] }))
        .action,
    ).toBe('block');
    expect(
      decide(set, contextOf(), sqlFacts({ writes: [{ schema: '', name: 'payments' }], params: ['1', null] })).action,
    ).toBe('allow');
  });
});

const conditions = [
  'true',
  'false',
  '"drop" in sql.effects',
  'sql.unqualifiedWrite',
  'user.machine',
  'http.method == "GET"',
  'user.attributes.none == 1',
  'sql.statements > 1',
];
const rules = fc
  .array(
    fc.record({
      when: fc.constantFrom(...conditions),
      action: fc.constantFrom<Action>('block', 'approve', 'warn', 'allow'),
    }),
    { maxLength: 5 },
  )
  .map((list) => list.map(({ when, action }, index) => rule(`r${String(index)}`, when, action)));
const policies = fc
  .array(
    fc.record({
      rules,
      mode: fc.constantFrom('enforce', 'observe'),
      default: fc.constantFrom('allow', 'block'),
      opaque: fc.constantFrom('allow', 'block'),
    }),
    { maxLength: 4 },
  )
  .map((list) => list.map((spec, index) => policy(`p${String(index)}`, spec)));
const facts = fc
  .record({
    effects: fc.subarray(['select', 'drop', 'delete']),
    unqualified: fc.subarray(['delete']),
    opaque: fc.boolean(),
    statements: fc.nat(3),
  })
  .map((changes) => sqlFacts(changes));

describe('decide, for any policies', () => {
  it('gives the same verdict in whatever order policies and rules stand', () => {
    fc.assert(
      fc.property(policies, facts, fc.infiniteStream(fc.nat()), (definitions, given, random) => {
        const shuffle = <Entry>(list: readonly Entry[]): Entry[] =>
          list
            .map((entry) => ({ entry, key: random.next().value }))
            .sort((a, b) => a.key - b.key)
            .map(({ entry }) => entry);
        const shuffled = shuffle(definitions).map((definition): PolicyDefinition => ({
          ...definition,
          rules: shuffle(definition.rules),
        }));
        expect(decide(setOf(...shuffled), contextOf(), given)).toEqual(
          decide(setOf(...definitions), contextOf(), given),
        );
      }),
      { numRuns: 150 },
    );
  });

  it('never turns block into anything milder by adding a rule that blocks', () => {
    fc.assert(
      fc.property(policies, facts, fc.constantFrom(...conditions), (definitions, given, when) => {
        const more = policy('added', { rules: [rule('added', when)] });
        const before = decide(setOf(...definitions), contextOf(), given).action;
        const after = decide(setOf(...definitions, more), contextOf(), given).action;
        const severity = ['allow', 'warn', 'approve', 'block'];
        expect(severity.indexOf(after)).toBeGreaterThanOrEqual(severity.indexOf(before));
        const inside = definitions.map((definition): PolicyDefinition => ({
          ...definition,
          rules: [...definition.rules, ...more.rules],
        }));
        expect(severity.indexOf(decide(setOf(...inside), contextOf(), given).action)).toBeGreaterThanOrEqual(
          severity.indexOf(before),
        );
      }),
      { numRuns: 150 },
    );
  });
});
