import { createHash } from 'node:crypto';
import type { Resources } from '../../config/resources.js';
import type { PolicyTests, TestCase } from '../../config/test-cases.js';
import { compilePolicies, type PolicySet } from '../../policy/compile.js';
import type { MaskTest } from '../../policy/schema-tests.js';
import { loadGrammar } from '../../protocols/postgres/facts/analyze.js';
import { tryJudged, type JudgedOutcome } from './judged-trial.js';
import { knownDatabase, type KnownDatabase } from './sql-trial.js';
import { decisionContext } from './caller.js';
import { testConnection, testUser } from './test-connection.js';
import { isNamed, type TestResult, type TestRun } from './test-result.js';
import { maskedValue } from './value-trial.js';
import { maskPlanFor } from '../../policy/mask-plan.js';

const MAX_TITLE = 80;

/** Runs every test: a policy's own on that policy alone, as if it enforced; those of files on all policies together. */
export async function runTests(resources: Resources, tests: PolicyTests): Promise<TestRun> {
  if (tests.cases.some(({ test }) => 'sql' in test)) await loadGrammar();
  const bench = new Bench(resources);
  const reached = new Set<string>();
  const results = tests.cases.map((one) => bench.run(one, reached));
  const unreached = tests.parts.filter(({ name }) => !reached.has(name));
  return { results, unreached, parts: tests.parts.length, policyHash: resources.policySet.hash };
}

/** What tests of one folder share. */
class Bench {
  readonly #sets = new Map<string, PolicySet>();
  readonly #databases = new Map<object, KnownDatabase | undefined>();

  constructor(private readonly resources: Resources) {}

  run(one: TestCase, reached: Set<string>): TestResult {
    const { test, place, suite } = one;
    const set = this.#setOf(one.policy);
    const context = decisionContext({
      user: testUser(one, this.resources),
      connection: testConnection(one, this.resources),
      at: test.at ?? suite?.at,
      from: test.from ?? suite?.from,
    });
    const plan = maskPlanFor(set, context);
    const { entities } = this.resources;
    const outcome =
      'text' in test
        ? this.#value(test, { plan, entities })
        : tryJudged(test, { set, context, plan, entities, database: this.#databaseOf(suite) });
    for (const name of outcome.reached) reached.add(name);
    return {
      title: titleOf(test),
      place,
      suite: one.policy ?? suite?.name ?? '',
      problems: outcome.problems,
    };
  }

  #value(
    test: MaskTest,
    { plan, entities }: Pick<Parameters<typeof tryJudged>[1], 'plan' | 'entities'>,
  ): JudgedOutcome {
    const met = new Set<string>();
    const output = maskedValue(test.text, test, plan, entities, met);
    const action = output === test.text ? 'pass' : 'mask';
    const problems = [];
    if (action !== test.expect) problems.push({ what: 'value', expected: test.expect, actual: action });
    const names = [...met].sort();
    if (test.mask !== undefined && !names.some((name) => isNamed(test.mask ?? '', name)))
      problems.push({ what: 'mask', expected: test.mask, actual: names.join(', ') || 'none' });
    if (test.output !== undefined && test.output !== output)
      problems.push({ what: 'output', expected: JSON.stringify(test.output), actual: JSON.stringify(output) });
    return { problems, reached: names };
  }

  #setOf(policy: string | undefined): PolicySet {
    if (policy === undefined) return this.resources.policySet;
    const known = this.#sets.get(policy);
    if (known !== undefined) return known;
    const definitions = this.resources.policies.filter(({ name }) => name === policy);
    // What a policy in observe mode would do is what its tests are about.
    const compiled = compilePolicies(
      definitions.map((definition) => ({ ...definition, mode: 'enforce' as const })),
      (bytes) => createHash('sha256').update(bytes).digest(),
    );
    if (!('set' in compiled)) throw new TypeError('a policy that was loaded does not compile');
    this.#sets.set(policy, compiled.set);
    return compiled.set;
  }

  #databaseOf(suite: TestCase['suite']): KnownDatabase | undefined {
    if (suite === undefined) return undefined;
    if (!this.#databases.has(suite)) this.#databases.set(suite, knownDatabase(suite.database));
    return this.#databases.get(suite);
  }
}

function titleOf(test: TestCase['test']): string {
  if (test.name !== undefined) return test.name;
  const sent =
    'sql' in test
      ? test.sql
      : 'prompt' in test
        ? `prompt: ${test.prompt}`
        : 'request' in test
          ? `${test.request.method} ${test.request.path}`
          : `${test.column ?? test.path ?? 'text'}: ${test.text}`;
  const line = sent.replace(/\s+/g, ' ').trim();
  return line.length <= MAX_TITLE ? line : `${line.slice(0, MAX_TITLE - 1)}…`;
}
