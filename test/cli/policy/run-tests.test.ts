import { describe, expect, it } from 'vitest';
import { loadPolicies } from '../../../src/cli/policy/load-policies.js';
import { runTests } from '../../../src/cli/policy/run-tests.js';
import { createColours } from '../../../src/cli/colours.js';
import { testReport } from '../../../src/cli/policy/test-report.js';
import { failureOf, type TestRun } from '../../../src/cli/policy/test-result.js';
import { inFolder, SHOP, SHOP_TESTS } from './policy-folder.js';

function run(tests: string): Promise<TestRun> {
  return inFolder(
    { 'shop.yaml': SHOP, 'shop.test.yaml': SHOP_TESTS + tests.replace(/^(?=.)/gm, '    ') },
    async (dir) => {
      const { resources, tests: found } = await loadPolicies(dir, {});
      return runTests(resources, found);
    },
  );
}

/** `what: expected, actual` of the only test; empty where it holds. */
async function problems(test: string): Promise<string[]> {
  const { results } = await run(test);
  expect(results).toHaveLength(1);
  return (results[0]?.problems ?? []).map(({ what, expected, actual }) => `${what}: ${expected}, ${actual}`);
}

describe('a test that holds', () => {
  it.each<[string, string]>([
    ['of a statement', '- { sql: DROP TABLE x, expect: block, rule: prod/no-drop }'],
    ['of what a function does, by its body', '- { sql: SELECT purge(), expect: block, rule: no-drop }'],
    [
      'at a moment',
      "- { sql: UPDATE t SET a = 1 WHERE b = 2, at: '2026-11-28T10:00:00Z', expect: approve, rule: weekend }",
    ],
    ['at another moment', "- { sql: UPDATE t SET a = 1 WHERE b = 2, at: '2026-11-27T10:00:00Z', expect: allow }"],
    ['from an address', '- { sql: INSERT INTO t VALUES (1), from: 10.1.2.3, expect: allow }'],
    ['from nowhere', '- { sql: INSERT INTO t VALUES (1), expect: block, rule: office }'],
    ['of a caller that no policy is for', '- { sql: DROP TABLE x, user: { groups: [] }, expect: allow }'],
    ['of text that does not parse', '- { sql: DROP TABLE, expect: block, rule: unparsable }'],
    [
      'of a masked column in a condition',
      '- { sql: "SELECT id FROM customers WHERE ssn LIKE \'1%\'", expect: block, rule: prod/ssn }',
    ],
    [
      'of rows, through a view and an alias',
      `- sql: SELECT email AS e, number, 1 AS n FROM contacts
  rows: [{ e: ann@example.com, number: 123-45-6789, n: 1 }, { e: null, number: null, n: 2 }]
  output: [{ e: '*****@example.com', number: '[number]', n: 1 }, { e: null, number: null, n: 2 }]
  expect: allow`,
    ],
    [
      'of an answer over HTTP',
      `- request: { path: /me, query: { id: '7' } }
  connection: crm
  answer: { user: { token: abc, mail: ann@example.com }, n: 1.50 }
  output: { n: 1.5, user: { token: '[masked]', mail: '*****@example.com' } }
  expect: allow`,
    ],
    [
      'of a request',
      '- { request: { path: /admin/users }, connection: { type: http, labels: { env: prod } }, expect: block, rule: admin }',
    ],
    [
      'of a value in a column',
      "- { text: 'x', column: public.customers.ssn, expect: mask, mask: ssn, output: '[ssn]' }",
    ],
    [
      'of a value that the strongest mask leaves to the next',
      "- { text: 123-45-6789, column: public.customers.ssn, user: { groups: [eng, dba] }, expect: mask, mask: prod/pii, output: '***-**-6789' }",
    ],
    [
      'of a value at a path',
      "- { text: abc, path: '$.a[2].token', connection: crm, expect: mask, mask: token, output: '[masked]' }",
    ],
    ['of a value that passes', '- { text: a plain sentence, expect: pass, output: a plain sentence }'],
  ])('%s', async (_what, test) => {
    expect(await problems(test)).toEqual([]);
  });
});

describe('a test that fails', () => {
  it.each<[string, string, string[]]>([
    ['another action', '- { sql: DROP TABLE x, expect: allow }', ['action: allow, block by prod/no-drop']],
    ['another rule', '- { sql: DROP TABLE x, expect: block, rule: office }', ['rule: office, prod/no-drop']],
    [
      'another output',
      '- { sql: SELECT email FROM customers, expect: allow, rows: [{ email: a@b.example }], output: [{ email: a@b.example }] }',
      ['output: [{"email":"a@b.example"}], [{"email":"*****@b.example"}]'],
    ],
    ['a value that passes', '- { text: hello, expect: mask, mask: pii }', ['value: mask, pass', 'mask: pii, none']],
    [
      'a request that never reaches policy',
      '- { request: { path: /a/../admin }, connection: crm, expect: block }',
      ['request: one that reaches policy, the path must have no empty or dot segments'],
    ],
  ])('says so: %s', async (_what, test, expected) => {
    expect(await problems(test)).toEqual(expected);
  });
});

describe('a run of tests', () => {
  it('lists what no test reaches, and fails by it only where that is asked', async () => {
    const done = await run('- { sql: DROP TABLE x, expect: block }');
    expect(done.unreached.map(({ kind, name, place }) => `${kind} ${name} ${String(place.line)}`)).toEqual([
      'rule prod/weekend 8',
      'rule prod/office 9',
      'rule prod/admin 10',
      'mask prod/pii 12',
      'mask prod/ssn 13',
      'mask prod/token 14',
    ]);
    expect(failureOf(done, false)).toBeUndefined();
    expect(failureOf(done, true)).toMatchObject({ code: 'tests_failed', exitStatus: 1 });
  });

  it('tries a policy by its own tests alone, as if it enforced, for someone that it is for', async () => {
    const own = `apiVersion: hoop/v1
kind: Policy
metadata: { name: watching }
spec:
  mode: observe
  match: { groups: [ops], connections: ['pg-*'] }
  rules: [{ name: r, when: 'glob(connection.name, "pg-*") && "ops" in user.groups', action: warn }]
  tests:
    - { sql: DROP TABLE x, expect: warn, rule: r }
    - { sql: SELECT 1, user: { groups: [eng] }, expect: allow }
`;
    const done = await inFolder({ 'shop.yaml': SHOP, 'own.yaml': own }, async (dir) => {
      const { resources, tests } = await loadPolicies(dir, {});
      return runTests(resources, tests);
    });
    expect(done.results.map(({ suite, problems: found }) => [suite, found])).toEqual([
      ['watching', []],
      ['watching', []],
    ]);
  });

  it('is told as TAP and as JUnit, whatever stands in the names', async () => {
    const done = await run(
      '- { name: \'a <b> # "c"\', sql: SELECT 1, expect: block }\n- { sql: SELECT 1, expect: allow }',
    );
    const colours = createColours({ stream: 'stdout', noColor: true, env: {} });
    const tap = testReport(done, 'tap', colours).split('\n');
    expect(tap.slice(0, 3)).toEqual(['TAP version 14', '1..2', 'not ok 1 - shop: a <b> \\# "c"']);
    expect(tap).toContain('ok 2 - shop: SELECT 1');
    expect(tap).toContain('    - {"what":"action","expected":"block","actual":"allow"}');
    const junit = testReport(done, 'junit', colours);
    expect(junit).toContain('<testsuite name="shop" tests="2" failures="1">');
    expect(junit).toMatch(/<testcase name="a &lt;b&gt; # &quot;c&quot;" classname="shop" file="[^"]+" line="15">/);
    expect(junit).toContain('<failure message="action: expected block, found allow">');
  });
});
