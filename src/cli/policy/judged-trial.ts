import { isFault } from '../../core/errors.js';
import type { MaskPlan } from '../../core/mask.js';
import type { EntityResource } from '../../core/resources.js';
import { blocksUninspected } from '../../policy/applies.js';
import type { DecisionContext } from '../../policy/bound-facts.js';
import type { PolicySet } from '../../policy/compile.js';
import { decide } from '../../policy/decide.js';
import type { PromptTest, RequestTest, SqlTest } from '../../policy/schema-tests.js';
import type { Verdict } from '../../policy/types.js';
import { isHttpType, promptRequest, readRequest } from './request-reading.js';
import { SqlTrial, type KnownDatabase } from './sql-trial.js';
import { isNamed, type TestProblem } from './test-result.js';
import { maskedAnswer } from './value-trial.js';

export interface JudgedOutcome {
  readonly problems: readonly TestProblem[];
  /** `policy/rule` and `policy/mask` of all that matched or met something. */
  readonly reached: readonly string[];
}

export interface TrialGround {
  readonly set: PolicySet;
  readonly context: DecisionContext;
  readonly plan: MaskPlan;
  readonly entities: readonly EntityResource[];
  readonly database: KnownDatabase | undefined;
}

/** Judges what a test sends as the agent would, and compares verdict and masked output with what is expected. */
export function tryJudged(test: SqlTest | PromptTest | RequestTest, ground: TrialGround): JudgedOutcome {
  return 'sql' in test ? trySql(test, ground) : tryRequest(test, ground);
}

function trySql(test: SqlTest, { set, context, plan, entities, database }: TrialGround): JudgedOutcome {
  const trial = new SqlTrial(test.sql, test.params ?? [], plan, entities, database);
  const verdict = decide(set, context, { sql: trial.facts }, 'run', trial.refusals());
  const met = new Set<string>();
  const problems = verdictProblems(test, verdict);
  if (test.rows !== undefined) {
    const actual = verdict.action === 'block' ? [] : trial.mask(test.rows, met);
    problems.push(...outputProblems(test.output, actual));
  }
  return { problems, reached: reachedBy(verdict, met) };
}

function tryRequest(test: PromptTest | RequestTest, { set, context, plan, entities }: TrialGround): JudgedOutcome {
  const { type } = context.connection;
  if (!isHttpType(type))
    return fails({ what: 'connection', expected: 'a type that is spoken over HTTP', actual: type });
  const reading = readRequest(type, 'prompt' in test ? promptRequest(type, test) : test.request);
  if (isFault(reading)) return fails({ what: 'request', expected: 'one that reaches policy', actual: reading.message });
  const uninspected = (reading.uninspected ?? []).join(', ');
  if (uninspected !== '' && blocksUninspected(set, context))
    return fails({ what: 'request', expected: 'a body that can be read', actual: uninspected });
  const verdict = decide(set, context, reading.facts);
  const met = new Set<string>();
  const problems = verdictProblems(test, verdict);
  if ('request' in test && test.answer !== undefined) {
    const isText = typeof test.answer === 'string';
    const body = isText ? (test.answer as string) : JSON.stringify(test.answer);
    const actual = maskedAnswer(body, type, reading, plan, entities, met);
    problems.push(...outputProblems(test.output, isText ? actual : (JSON.parse(actual) as unknown)));
  }
  return { problems, reached: reachedBy(verdict, met) };
}

function fails(problem: TestProblem): JudgedOutcome {
  return { problems: [problem], reached: [] };
}

function verdictProblems(
  test: { readonly expect: string; readonly rule?: string | undefined },
  verdict: Verdict,
): TestProblem[] {
  const problems: TestProblem[] = [];
  const by = verdict.rule === '' ? '' : ` by ${verdict.rule}`;
  if (verdict.action !== test.expect)
    problems.push({ what: 'action', expected: test.expect, actual: `${verdict.action}${by}` });
  const { rule } = test;
  // Of several that are as severe, which one decides goes by their names: any of them is meant.
  const deciding = verdict.matches.filter(({ observed, action }) => !observed && action === verdict.action);
  const names = deciding.map((match) => `${match.policy}/${match.rule}`);
  if (rule !== undefined && !names.some((name) => isNamed(rule, name)))
    problems.push({ what: 'rule', expected: rule, actual: names.join(', ') || 'none' });
  return problems;
}

function outputProblems(expected: unknown, actual: unknown): TestProblem[] {
  const [wanted, came] = [canonical(expected), canonical(actual)];
  return wanted === came ? [] : [{ what: 'output', expected: wanted, actual: came }];
}

/** The order of members makes no difference. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([left], [right]) => (left < right ? -1 : 1)))
      : inner,
  );
}

/** A rule is reached where it matched, whether or not it decided. */
function reachedBy(verdict: Verdict, met: ReadonlySet<string>): string[] {
  return [...verdict.matches.map(({ policy, rule }) => `${policy}/${rule}`), ...met];
}
