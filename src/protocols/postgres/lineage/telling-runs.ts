import type { Run } from '../statements/run.js';
import { ANYTHING } from './derivation.js';
import { mayDependOnValues, type CallerBudgets, type FailureBudget } from './failure-budget.js';
import type { ColumnRules } from './column-rules.js';
import { computedOver, type Refusal, type Ruled } from './inference.js';
import { isOfLargeObjects } from './known-functions.js';
import { endsTransaction, fetchesByName } from './runs-later.js';
import type { SessionMemory } from './session-memory.js';
import type { TextLineage } from './text-lineage.js';
import type { Computed } from './uses.js';

/** How a run ended with an error. */
export interface Failure {
  /** SQLSTATE */
  readonly code: string;
  /** The error points into the text. */
  readonly positioned: boolean;
  /** Rows that had gone down before it. */
  readonly rows: number;
  /** It came while values were bound, before the plan ran. */
  readonly binding: boolean;
}

interface Told {
  readonly ruled: readonly Ruled[];
  readonly costly: boolean;
  readonly callsRoutines: boolean;
}

/** What the statements of one session tell by failing, counted with all that their caller runs on the connection. */
export class TellingRuns {
  readonly #told = new WeakMap<Run, Told>();

  constructor(
    private readonly budgets: CallerBudgets,
    private readonly nowMs: () => number,
  ) {}

  /** What is refused because too much was told already. The run is counted when it ends. */
  judged(run: Run, lineages: readonly TextLineage[], memory: SessionMemory, rules: ColumnRules): readonly Refusal[] {
    const computed: Computed[] = lineages.flatMap((lineage) => computedIn(lineage));
    if (run.calls !== undefined && !isOfLargeObjects(run.calls)) computed.push({ value: ANYTHING, costly: false });
    const fetches = memory.computedByCursors.size > 0 && fetchesByName(run);
    if (fetches) computed.push(...memory.computedByCursors);
    const own = computedOver(computed, rules);
    // What a cursor WITH HOLD reckons at the end of a transaction is counted, but nobody is kept from ending one.
    const ending = endsTransaction(run) ? computedOver([...memory.computedByCursors], rules) : [];
    if (own.length + ending.length === 0) return [];
    run.tells = true;
    // SQL may fetch from a portal by its name.
    if (run.bound !== undefined) memory.mayFetch(computed);
    this.#told.set(run, {
      ruled: [...own, ...ending],
      costly: computed.some(({ costly }) => costly),
      callsRoutines: fetches || lineages.some(({ callsRoutines }) => callsRoutines),
    });
    return this.#refused(own);
  }

  /** Why it may not run on, though it was judged before. */
  refusedNow(run: Run): Refusal | undefined {
    return this.#refused(this.#told.get(run)?.ruled ?? []).find(({ observed }) => !observed);
  }

  /** @param failure absent where it was done */
  ended(run: Run, failure: Failure | undefined): void {
    const told = this.#told.get(run);
    if (told === undefined) return;
    for (const observed of new Set(told.ruled.map(({ rule }) => rule.observed))) {
      const budget = this.#budget(observed);
      if (failure === undefined) budget.passed(this.nowMs(), told.costly);
      else if (tellsOfValues(failure, told)) budget.failed(this.nowMs(), failure.rows);
    }
  }

  #refused(ruled: readonly Ruled[]): readonly Refusal[] {
    const refusals = new Map<string, Refusal>();
    for (const { rule, column } of ruled) {
      const waitMs = this.#budget(rule.observed).closedForMs(this.nowMs());
      if (waitMs > 0 && !refusals.has(rule.name))
        refusals.set(rule.name, { rule: rule.name, observed: rule.observed, message: messageOf(column, waitMs) });
    }
    return [...refusals.values()];
  }

  #budget(observed: boolean): FailureBudget {
    return observed ? this.budgets.observed : this.budgets.enforced;
  }
}

/** What goes where it is masked as well may break a rule there; what nobody can read may fail by any column. */
function computedIn({ computed, uses }: TextLineage): readonly Computed[] {
  if (uses.length === 0) return computed;
  const more = uses.flatMap((use): Computed[] =>
    use.kind === 'moved'
      ? [{ value: use.value, costly: false }]
      : use.kind === 'unread'
        ? [{ value: ANYTHING, costly: false }]
        : [],
  );
  return [...computed, ...more];
}

/** What is bound is read before anything of a table is, but for what the planner works out by calling a routine. */
function tellsOfValues({ code, positioned, binding }: Failure, { callsRoutines }: Told): boolean {
  return mayDependOnValues(code, positioned) && (!binding || callsRoutines);
}

function messageOf(column: string, waitMs: number): string {
  const what = column === '' ? 'what may hold masked columns' : `masked column ${column}`;
  const minutes = Math.ceil(waitMs / 60_000);
  const wait = minutes === 1 ? '1 minute' : `${String(minutes)} minutes`;
  return `statements that compute with ${what} have failed too often; refused for another ${wait} (inference)`;
}
