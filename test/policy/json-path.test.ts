import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesPath, stepInto, AT_ROOT } from '../../src/core/json-path.js';
import { parseJsonPath } from '../../src/policy/json-path.js';

const meets = (text: string, ...path: (string | number)[]): boolean => {
  const pattern = parseJsonPath(text);
  if (pattern === undefined) throw new Error(`not read: ${text}`);
  return matchesPath(pattern, path);
};

describe('parseJsonPath', () => {
  it.each([
    '',
    '$',
    'customer',
    '$customer',
    '$.',
    '$..',
    '$.a.',
    '$.a b',
    '$.a[',
    "$['a]",
    '$[-1]',
    '$[01]',
    '$[1:2]',
  ])('does not read %j', (text) => {
    expect(parseJsonPath(text)).toBeUndefined();
  });

  it.each(['$[?(@.a)]', '$.a[*', '$[1,2]', '$.1a', '$...a', '$.a..', '$[1e3]', '@.a', ' $.a', '$.a '])(
    'does not read %j',
    (text) => {
      expect(parseJsonPath(text)).toBeUndefined();
    },
  );

  it('reads 30 steps and not 31', () => {
    expect(parseJsonPath(`$${'.a'.repeat(30)}`)?.steps).toHaveLength(30);
    expect(parseJsonPath(`$${'.a'.repeat(31)}`)).toBeUndefined();
  });

  it('never throws', () => {
    const pieces = fc.array(fc.constantFrom('$', '.', '..', '[', ']', '*', "'", '"', '\\', 'a', '0', '-', 'é'));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          pieces.map((list) => `$${list.join('')}`),
        ),
        (text) => {
          const pattern = parseJsonPath(text);
          expect(pattern === undefined || pattern.steps.length > 0).toBe(true);
        },
      ),
    );
  });
});

describe('matchesPath', () => {
  it.each<[string, (string | number)[]]>([
    ['$.customer.ssn', ['customer', 'ssn']],
    ['$.items[*].email', ['items', 7, 'email']],
    ['$.items.*.email', ['items', 'first', 'email']],
    ['$.items[2]', ['items', 2]],
    ['$..password', ['password']],
    ['$..password', ['a', 0, 'b', 'password']],
    ['$..users[*].name', ['a', 'users', 0, 'users', 1, 'name']],
    ['$..[0]', ['a', 0]],
    ['$..*', ['anything']],
    ["$['first name']", ['first name']],
    ['$["a\\"b"]', ['a"b']],
    ["$['*']", ['*']],
    ["$['0']", ['0']],
    ['$.größe-cm', ['größe-cm']],
    ['$.__proto__.a', ['__proto__', 'a']],
  ])('%s leads to %j', (text, path) => {
    expect(meets(text, ...path)).toBe(true);
  });

  it.each<[string, (string | number)[]]>([
    ['$.customer.ssn', ['customer']],
    ['$.customer.ssn', ['customer', 'ssn', 'x']],
    ['$.customer.ssn', ['Customer', 'ssn']],
    ['$.items[2]', ['items', '2']],
    ["$['2']", [2]],
    ['$.items[*].email', ['items', 'email']],
    ['$..password', ['password', 'x']],
    ['$.a..b', ['b']],
    ['$..*', []],
  ])('%s does not lead to %j', (text, path) => {
    expect(meets(text, ...path)).toBe(false);
  });

  it('agrees with going every way one by one', () => {
    const name = fc.constantFrom('a', 'b');
    const step = fc.record({ deep: fc.boolean(), select: fc.option(name, { nil: undefined }) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 5 }), fc.array(name, { maxLength: 7 }), (steps, path) => {
        const slowly = (at: number, from: number): boolean => {
          const one = steps[at];
          if (one === undefined) return from === path.length;
          return path.some(
            (into, index) =>
              (one.deep ? index >= from : index === from) &&
              (one.select === undefined || one.select === into) &&
              slowly(at + 1, index + 1),
          );
        };
        expect(matchesPath({ steps }, path)).toBe(slowly(0, 0));
      }),
    );
  });

  it('stands in at most 31 places however deep `..` leads', () => {
    const pattern = parseJsonPath(`$${'..a'.repeat(30)}`);
    if (pattern === undefined) throw new Error('not read');
    let progress = AT_ROOT;
    for (let level = 0; level < 10_000; level += 1) progress = stepInto(pattern, progress, 'a');
    expect(progress & 0x7fffffff).toBe(0x7fffffff);
  });
});
