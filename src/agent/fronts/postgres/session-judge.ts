import type { Identity } from '../../../core/identity.js';
import type { MaskPlan } from '../../../core/mask.js';
import { maskPlanFor, maskPlanForAnyone } from '../../../policy/mask-plan.js';
import { readsParams, readsSql } from '../../../policy/applies.js';
import { decide } from '../../../policy/decide.js';
import type { PolicySet } from '../../../policy/compile.js';
import type { Context, Facts, RuleMatch, SqlFacts, Verdict } from '../../../policy/types.js';
import type { Question } from '../../../protocols/contract.js';
import type { Catalog, NameLookup } from '../../../protocols/postgres/catalog/types.js';
import { analyze, needsCatalog } from '../../../protocols/postgres/facts/analyze.js';
import { ColumnMasks } from '../../../protocols/postgres/lineage/column-masks.js';
import type { Outline } from '../../../protocols/postgres/facts/outline.js';
import type { CallerBudgets } from '../../../protocols/postgres/lineage/failure-budget.js';
import { TellingRuns } from '../../../protocols/postgres/lineage/telling-runs.js';
import { SessionMemory } from '../../../protocols/postgres/lineage/session-memory.js';
import type { SessionMasks } from '../../../protocols/postgres/masks.js';
import type { Run } from '../../../protocols/postgres/statements/run.js';
import type { FollowedMasks } from '../../../protocols/postgres/trial/masked-sample.js';
import type { SessionHost } from '../../sessions/session-host.js';
import { sessionMasks } from '../../sessions/session-masks.js';
import { VerdictCache } from '../../sessions/verdict-cache.js';
import { completeQuestion } from './complete-question.js';
import type { SessionCatalog } from './session-catalog.js';

/** Number of the start-up in questions; the first statement is 1. */
const STARTUP = 0;

const NOTHING: readonly RuleMatch[] = [];

/** What judging needs of its session. */
export interface JudgedSession {
  catalog(): SessionCatalog | undefined;
  /** How the session looks names up now; undefined before it is open. */
  lookup(catalog: Catalog): NameLookup | undefined;
  /** Of a text that must not be parsed here. */
  outline(text: string): Outline | 'unknown' | undefined;
}

/** Follows policy for one session: what it masks, and what it says of each question. */
export class SessionJudge {
  #policy: PolicySet | undefined;
  #plan: MaskPlan = { rules: [], needsColumns: false };
  #masks: SessionMasks | undefined;
  #columns: ColumnMasks | undefined;
  readonly #memory = new SessionMemory();
  readonly #verdicts = new VerdictCache();
  /** What waited for people is judged again, and nothing else of this session in between. */
  #counted: Question | undefined;
  #readsSql = false;
  #readsParams = false;

  readonly #telling: TellingRuns;

  /** @param budgets what the caller's failures may tell on this connection */
  constructor(
    private readonly host: SessionHost,
    private readonly context: Context,
    private readonly session: JudgedSession,
    budgets: CallerBudgets,
  ) {
    this.#telling = new TellingRuns(budgets, () => host.monotonicMs());
  }

  /** Is there a rule that reads statements? */
  readsSql(): boolean {
    this.masks();
    return this.#readsSql;
  }

  /** Is there a rule that reads what is bound to them, or an approval for it? */
  readsParams(): boolean {
    this.masks();
    return this.#readsParams;
  }

  /** Will statements of this session need the catalogue? */
  wantsCatalog(): boolean {
    return this.readsSql() || this.#plan.needsColumns;
  }

  /** The masks as policy has them now; computed anew when policy changed. */
  masks(): SessionMasks {
    const policy = this.host.policy();
    if (this.#masks === undefined || this.#policy !== policy) {
      this.#policy = policy;
      this.#plan = maskPlanFor(policy, this.context);
      this.#readsSql = readsSql(policy, this.context);
      this.#readsParams = readsParams(policy, this.context);
      this.#columns = undefined;
      const known = (): Catalog | undefined => this.session.catalog()?.latest;
      this.#masks = sessionMasks(this.#plan, this.host.entities(), this.host.hash, known, (rules) => {
        const lookup = (catalog: Catalog): NameLookup => this.session.lookup(catalog) ?? { searchPath: undefined };
        const outline: JudgedSession['outline'] = (text) => this.session.outline(text);
        this.#columns = new ColumnMasks(rules, known, lookup, this.#memory, outline, this.#telling);
        return this.#columns;
      });
    }
    return this.#masks;
  }

  /**
   * The masks for a text that the agent runs over a connection of its own: nothing that the session did counts.
   *
   * @param user whose masks: the requester's where absent; `anyone`: those of everybody together
   */
  ownMasks(text: string, lookup: NameLookup, user: Identity | 'anyone' = this.context.user): FollowedMasks {
    const known = (): Catalog | undefined => this.session.catalog()?.latest;
    const policy = this.host.policy();
    const plan =
      user === 'anyone' ? maskPlanForAnyone(policy, this.context) : maskPlanFor(policy, { ...this.context, user });
    const facts = analyze(text);
    const run: Run = { statement: STARTUP, text, facts, basis: facts, startedMs: 0 };
    let tells = false;
    const masks = sessionMasks(plan, this.host.entities(), this.host.hash, known, (rules) => {
      const columns = new ColumnMasks(rules, known, () => lookup, new SessionMemory());
      columns.asked(run);
      tells = columns.judged(facts).some(({ observed }) => !observed);
      return columns;
    });
    return { masks, run, tells };
  }

  judge(question: Question): Verdict | Promise<Verdict> {
    this.masks();
    const { sql } = question.facts;
    // The start-up needs no catalogue, and its own sign-in tells best what is wrong with the server.
    const needed =
      sql !== undefined &&
      question.statement !== STARTUP &&
      (this.#plan.needsColumns
        ? question.phase === 'run' || this.#readsSql || this.#reverses()
        : this.#readsSql && needsCatalog(sql));
    if (!needed) return this.#decide(question, question.facts, question.basis);
    this.session.catalog()?.seen(sql);
    const catalog = this.session.catalog()?.current();
    const decided = (known?: Catalog): Verdict => this.#decideKnowing(question, sql, known);
    return catalog instanceof Promise ? catalog.then(decided) : decided(catalog);
  }

  /** Are pseudonyms turned back? Those in a text are when it is prepared. */
  #reverses(): boolean {
    return this.#plan.rules.some((rule) => rule.reversible === true && rule.columns.length > 0);
  }

  /** Uses of masked columns that would tell of them, as blocks of the masks' own policies. */
  #inferred({ facts: { sql }, phase }: Question): readonly RuleMatch[] {
    if (sql === undefined || phase === 'prepare' || this.#columns === undefined) return NOTHING;
    const refusals = this.#columns.judged(sql);
    return refusals.length === 0
      ? NOTHING
      : refusals.map(({ rule, observed, ...said }): RuleMatch => {
          const [policy = '', mask = ''] = rule.split('/');
          return { policy, rule: mask, action: 'block', observed, ...said };
        });
  }

  #decideKnowing(question: Question, sql: SqlFacts, catalog: Catalog | undefined): Verdict {
    const lookup = catalog && this.session.lookup(catalog);
    if (!catalog || !lookup) return this.#decide(question, question.facts, question.basis);
    const { facts, basis } = completeQuestion(question, sql, catalog, lookup);
    if (basis !== question.basis) this.session.catalog()?.completed(basis);
    question.completed(facts, basis);
    return this.#decide(question, facts, basis);
  }

  /** @param basis the same object for the same facts, whatever is bound */
  #decide(question: Question, facts: Facts, basis: object): Verdict {
    const policy = this.#policy as PolicySet;
    const inferred = this.#inferred(question);
    const anew = (): Verdict =>
      decide(policy, { nowMs: this.host.clock.nowMs(), ...this.context }, facts, question.phase, inferred);
    const verdict = inferred.length > 0 ? anew() : this.#verdicts.judge(policy, basis, anew);
    if (question.phase === 'run' && !(this.#counted === question && verdict.action !== 'block'))
      this.host.decided(verdict.action);
    this.#counted = question;
    return verdict;
  }
}
