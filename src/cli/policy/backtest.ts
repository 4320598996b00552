import type { Resources } from '../../config/resources.js';
import type { ChainedEvent } from '../../core/events.js';
import { policiesFor } from '../../policy/applies.js';
import { decide } from '../../policy/decide.js';
import { tryRules } from '../../policy/outcomes.js';
import type { Context, Facts, Verdict } from '../../policy/types.js';
import type { RecordedQuestion } from '../../recording/reading/questions.js';
import { ChangeTally, type Change } from './change-tally.js';
import { recordedContext, recordedFacts } from './recorded-facts.js';

export interface BacktestResult {
  readonly policyHash: string;
  readonly sessions: number;
  /** Statements and requests that were judged again. */
  readonly judged: number;
  /** Those whose action is another now. */
  readonly changed: number;
  /** Those that the same happens to, by another rule. */
  readonly otherRule: number;
  readonly changes: readonly Change[];
  /** What was not judged again, by the reason. */
  readonly unjudged: Readonly<Record<string, number>>;
}

/** Verdicts remembered at a time: statements differ by their values, so that there may be very many. */
const MAX_KEPT = 50_000;

interface KnownCaller {
  readonly who: string;
  /** Tells callers and connections apart in what is remembered. */
  readonly number: number;
}

/** Judges recorded questions again by other policies, and counts what differs. */
export class Backtest {
  readonly #tally = new ChangeTally();
  readonly #unjudged = new Map<string, number>();
  readonly #callers = new Map<string, KnownCaller>();
  readonly #verdicts = new Map<string, Verdict>();
  readonly #held: ReadonlySet<string>;
  #judged = 0;
  #sessions = 0;
  #start: ChainedEvent | undefined;
  #context: Context | undefined;
  #caller: KnownCaller | undefined;

  constructor(private readonly resources: Resources) {
    // Masks refuse by a catalogue, limits by counters: neither is in a recording.
    this.#held = new Set(
      resources.policies.flatMap(({ name, mask, limits }) => [...mask, ...limits].map((one) => `${name}/${one.name}`)),
    );
  }

  get judged(): number {
    return this.#judged;
  }

  take(questions: readonly RecordedQuestion[]): void {
    for (const question of questions) this.#take(question);
  }

  result(): BacktestResult {
    const { changes, changed, otherRule } = this.#tally;
    return {
      policyHash: this.resources.policySet.hash,
      sessions: this.#sessions,
      judged: this.#judged,
      changed,
      otherRule,
      changes: changes(),
      unjudged: Object.fromEntries([...this.#unjudged].sort(([, left], [, right]) => right - left)),
    };
  }

  #take({ start, asked, decision }: RecordedQuestion): void {
    const { context, caller } = this.#callerOf(start);
    if (decision === undefined) return this.#skip('ended before it was decided');
    const rules = Array.isArray(decision['rules']) ? (decision['rules'] as string[]) : [];
    const [rule = ''] = rules;
    const action = String(decision['action']);
    if (rule.startsWith('hoop/')) return this.#skip('decided by hoop itself, not by a policy');
    if (action === 'block' && this.#held.has(rule))
      return this.#skip('blocked by a mask or a limit, which a recording can not show again');
    const verdict = this.#judge(context, caller, asked);
    if (typeof verdict === 'string') return this.#skip(verdict);
    this.#judged += 1;
    this.#tally.add({
      from: { action, rule, rules },
      to: verdict,
      caller: caller.who,
      connection: context.connection.name,
      asked,
      session: context.session.id,
    });
  }

  #skip(why: string): void {
    this.#unjudged.set(why, (this.#unjudged.get(why) ?? 0) + 1);
  }

  #callerOf(start: ChainedEvent): { readonly context: Context; readonly caller: KnownCaller } {
    if (this.#start === start && this.#context !== undefined && this.#caller !== undefined)
      return { context: this.#context, caller: this.#caller };
    this.#sessions += 1;
    const context = recordedContext(start);
    const key = JSON.stringify([context.user, context.connection]);
    let caller = this.#callers.get(key);
    if (caller === undefined) {
      const { email, subject } = context.user;
      caller = { who: email === '' ? subject : email, number: this.#callers.size };
      this.#callers.set(key, caller);
    }
    [this.#start, this.#context, this.#caller] = [start, context, caller];
    return { context, caller };
  }

  /** @returns why it can't be judged */
  #judge(context: Context, caller: KnownCaller, asked: ChainedEvent): Verdict | string {
    const { steady, sessionless } = this.resources.policySet;
    const remembers = steady && sessionless && asked.type === 'statement';
    const key = remembers
      ? `${String(caller.number)} ${String(asked['via'])} ${String(asked['text'])}\n${JSON.stringify(asked['facts'])}`
      : '';
    const known = remembers ? this.#verdicts.get(key) : undefined;
    if (known !== undefined) return known;
    const facts = recordedFacts(asked, context.connection.type);
    if ('unjudged' in facts) return facts.unjudged;
    const verdict = this.#decide(context, facts, asked);
    if (remembers && typeof verdict !== 'string') {
      if (this.#verdicts.size >= MAX_KEPT) this.#verdicts.clear();
      this.#verdicts.set(key, verdict);
    }
    return verdict;
  }

  #decide(context: Context, facts: Facts, asked: ChainedEvent): Verdict | string {
    const set = this.resources.policySet;
    const at = { ...context, nowMs: Date.parse(asked.at) };
    const phase = asked['via'] === 'parse' ? 'prepare' : 'run';
    const verdict = decide(set, at, facts, phase);
    if (asked.type === 'statement' || verdict.action !== 'block') return verdict;
    // Of a request the headers are not recorded: a rule that asks for one would block what it let pass.
    const failed = tryRules(policiesFor(set, context), at, facts, phase).some(({ result }) => result === 'failed');
    return failed ? 'a rule needs what was not recorded of the request, such as a header' : verdict;
  }
}
