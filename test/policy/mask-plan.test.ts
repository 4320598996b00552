import { describe, expect, it } from 'vitest';
import { parseColumnPattern } from '../../src/policy/column-pattern.js';
import { maskPlanFor } from '../../src/policy/mask-plan.js';
import { contextOf, policy, setOf } from './policy-fixtures.js';

describe('maskPlanFor', () => {
  const mask = (name: string, changes: Record<string, unknown> = {}): Record<string, unknown> => ({
    name,
    entities: ['email'],
    strategy: 'partial',
    ...changes,
  });

  it('orders 5 strategies from null to partial, then by name', () => {
    const strategies = ['partial', 'hash', 'replace', 'redact', 'null'].map((strategy) =>
      mask(`z-${strategy}`, { strategy, ...(strategy === 'replace' ? { with: 'X' } : {}) }),
    );
    const plan = maskPlanFor(setOf(policy('p', { mask: [...strategies, mask('a-partial')] })), contextOf());
    expect(plan.rules.map(({ name }) => name)).toEqual([
      'p/z-null',
      'p/z-redact',
      'p/z-replace',
      'p/z-hash',
      'p/a-partial',
      'p/z-partial',
    ]);
    expect(plan.rules[2]?.with).toBe('X');
    expect(plan.needsColumns).toBe(false);
  });

  it('leaves a mask off for a caller in an excepted group, and on for others', () => {
    const set = setOf(policy('p', { mask: [mask('m', { exceptGroups: ['dba', 'audit'] })] }));
    expect(maskPlanFor(set, contextOf({ groups: ['engineering', 'audit'] })).rules).toEqual([]);
    expect(maskPlanFor(set, contextOf({ groups: ['engineering'] })).rules).toHaveLength(1);
    expect(maskPlanFor(set, contextOf({ groups: [] })).rules).toHaveLength(1);
  });

  it('takes no mask from a policy that does not match, and marks those of an observing one', () => {
    const other = policy('other', { match: { connections: ['mysql*'] }, mask: [mask('m')] });
    const observing = policy('seen', {
      mode: 'observe',
      inference: 'allow',
      mask: [mask('m', { columns: ['public.customers.ssn'] })],
    });
    const plan = maskPlanFor(setOf(other, observing), contextOf());
    expect(plan).toEqual({
      needsColumns: true,
      rules: [
        {
          name: 'seen/m',
          entities: ['email'],
          columns: [{ schema: 'public', table: 'customers', column: 'ssn' }],
          strategy: 'partial',
          with: '',
          on: { requests: false, answers: true },
          observed: true,
          inference: 'allow',
        },
      ],
    });
  });

  it('masks requests for HTTP and model types only', () => {
    const set = setOf(
      policy('p', { mask: [mask('both', { on: ['requests', 'answers'] }), mask('requests', { on: ['requests'] })] }),
    );
    expect(
      maskPlanFor(set, contextOf({ type: 'postgres' })).rules.map(({ name, on }) => [name, on.requests, on.answers]),
    ).toEqual([['p/both', false, true]]);
    expect(
      maskPlanFor(set, contextOf({ type: 'openai' })).rules.map(({ name, on }) => [name, on.requests, on.answers]),
    ).toEqual([
      ['p/both', true, true],
      ['p/requests', true, false],
    ]);
  });
});

describe('parseColumnPattern', () => {
  it.each([
    ['public.customers.ssn', 'public', 'customers', 'ssn'],
    ['Customers.SSN', '*', 'customers', 'ssn'],
    ['*.password', '*', '*', 'password'],
    ['*.*.password', '*', '*', 'password'],
    ['shop.customers.*', 'shop', 'customers', '*'],
    ['"My.Schema"."T""x".C', 'My.Schema', 'T"x', 'c'],
    ['GRÖSSE.straße', '*', 'grÖsse', 'straße'],
  ])('reads %s', (text, schema, table, column) => {
    expect(parseColumnPattern(text)).toEqual({ schema, table, column });
  });

  it.each([
    '',
    'password',
    'a.b.c.d',
    'a..b',
    '.a',
    'a.',
    'a.pass*',
    'a."*"',
    'a."b',
    'a.b c',
    'a.""',
    '"a"b.c',
    'a.b\n',
  ])('refuses %j', (text) => {
    expect(parseColumnPattern(text)).toBeUndefined();
  });
});

describe('masks of one kind of place alone', () => {
  const set = setOf(
    policy('p', {
      mask: [
        { name: 'paths', paths: ['$.a', '$..b'], strategy: 'redact' },
        { name: 'columns', columns: ['*.a'], strategy: 'redact' },
        { name: 'both', columns: ['*.a'], paths: ['$.c'], strategy: 'redact' },
      ],
    }),
  );
  const names = (type: string): string[] => maskPlanFor(set, contextOf({ type })).rules.map(({ name }) => name);

  it('apply where there is such a place: columns on databases, paths over HTTP', () => {
    expect(names('postgres')).toEqual(['p/both', 'p/columns']);
    for (const type of ['http', 'openai', 'anthropic']) expect(names(type)).toEqual(['p/both', 'p/paths']);
    const [, paths] = maskPlanFor(set, contextOf({ type: 'http' })).rules;
    expect(paths?.paths).toEqual([{ steps: [{ deep: false, select: 'a' }] }, { steps: [{ deep: true, select: 'b' }] }]);
  });
});
