import type { MaskRule } from '../../../core/mask.js';
import type { SqlFacts } from '../../../policy/types.js';
import { FIRST_USER_OID } from '../catalog/queries.js';
import type { Catalog, NameLookup } from '../catalog/types.js';
import type { Outline } from '../facts/outline.js';
import type { ResultColumn } from '../results/columns.js';
import type { CopyColumn } from '../copy/copy-masker.js';
import type { PreparedText, ReversibleValue, WholeColumns } from '../masks.js';
import type { Run } from '../statements/run.js';
import { ColumnRules, meetsByName, strongest } from './column-rules.js';
import { ANYTHING, placeKey, type Derivation } from './derivation.js';
import { forDerived, together } from './derived-rules.js';
import { resultDocuments, withDocuments } from './document-masks.js';
import { countBound, countGiven } from './compared-values.js';
import { isOfLargeObjects } from './known-functions.js';
import { comparedTooOften, inferenceRefusals, type Refusal } from './inference.js';
import { lineageOf, lineagesOf } from './lineage-cache.js';
import type { Failure, TellingRuns } from './telling-runs.js';
import type { TextLineage } from './text-lineage.js';
import { columnsBehind, routineResult } from './read-lineage.js';
import { endsTransaction, mayFetch, renamesUnseen } from './runs-later.js';
import type { Held, SessionMemory } from './session-memory.js';
import { isOfItsOwn } from './reading.js';
import { resultValues } from './result-values.js';
import { parametersOf, reversibleValues, typeAt, valuesOfExecute } from './reversible-values.js';

/** What is known of one run once it has been judged. */
interface Followed {
  readonly lineages: readonly TextLineage[];
  readonly held: Held;
  /** What was found for its last result. */
  result?: {
    readonly rules: ColumnRules;
    readonly columns: readonly ResultColumn[];
    readonly nth: number | undefined;
    readonly masks: readonly (MaskRule | undefined)[];
  };
}

interface FollowedText {
  readonly catalog: Catalog;
  readonly lookup: NameLookup;
  readonly followed: Followed;
}

const NONE: readonly Refusal[] = [];

/**
 * The masks of whole columns in one session: which columns of a result they meet, and which statements
 * would tell of a masked column otherwise.
 */
export class ColumnMasks implements WholeColumns {
  readonly #reverses: boolean;
  #rules: ColumnRules | undefined;
  #rulesOf: Catalog | undefined;
  /** One statement is put to policy at a time. */
  #asked: { readonly run: Run; readonly facts: SqlFacts } | undefined;
  /** By what a text is judged by: what was followed before holds as long as catalogue and search path are the same. */
  readonly #texts = new WeakMap<SqlFacts, FollowedText>();
  readonly #followed = new WeakMap<Run, Followed>();
  readonly #ranAt = new WeakMap<Run, number>();
  #refusals = new WeakMap<TextLineage, readonly Refusal[]>();

  constructor(
    private readonly rules: readonly MaskRule[],
    /** What was read last; undefined before the first reading: then names decide. */
    private readonly catalog: () => Catalog | undefined,
    private readonly lookup: (catalog: Catalog) => NameLookup,
    private readonly memory: SessionMemory,
    /** Of texts that are not to be parsed again. */
    private readonly outline: (text: string) => Outline | 'unknown' | undefined = () => undefined,
    /** Absent where nothing is run. */
    private readonly telling?: TellingRuns,
  ) {
    this.#reverses = rules.some((rule) => rule.reversible === true && !rule.observed);
  }

  /** This run is about to be put to policy. */
  asked(run: Run): void {
    this.#asked = { run, facts: run.facts };
  }

  /** What inference refuses in the run with these facts. Call it when the catalogue is fresh. */
  judged(facts: SqlFacts): readonly Refusal[] {
    if (this.#asked?.facts !== facts) return NONE;
    const { run } = this.#asked;
    const lineages = this.#follow(run)?.lineages ?? [];
    if (lineages.length === 0) return NONE;
    const refused = lineages.flatMap((lineage) => this.#refused(lineage));
    if (refused.length > 0) return refused;
    const often = this.#tooOften(run, lineages);
    const rules = this.#current();
    if (often.length > 0 || rules === undefined) return often;
    return this.telling?.judged(run, lineages, this.memory, rules) ?? NONE;
  }

  refusedNow(run: Run): Refusal | undefined {
    return this.telling?.refusedNow(run);
  }

  ended(run: Run, failure?: Failure): void {
    this.telling?.ended(run, failure);
  }

  #tooOften({ bound }: Run, lineages: readonly TextLineage[]): readonly Refusal[] {
    const rules = this.#current();
    if (rules === undefined || lineages.every(({ compared }) => compared.length === 0)) return NONE;
    const [first] = lineages;
    return lineages.flatMap((lineage) =>
      comparedTooOften(lineage, rules, (parameter) =>
        lineage === first ? countBound(bound?.sent, parameter) : countGiven(first?.statements ?? [], parameter),
      ),
    );
  }

  #refused(lineage: TextLineage): readonly Refusal[] {
    const rules = this.#current();
    const catalog = this.catalog();
    if (rules === undefined || catalog === undefined || lineage.uses.length === 0) return NONE;
    // A key that the open transaction took off, or defers, is still in the catalogue that others see.
    if (this.lookup(catalog).unsettled === true) return inferenceRefusals(lineage, rules, false);
    const known = this.#refusals.get(lineage) ?? inferenceRefusals(lineage, rules);
    this.#refusals.set(lineage, known);
    return known;
  }

  #follow(run: Run): Followed | undefined {
    const catalog = this.catalog();
    const before = this.#followed.get(run);
    if (catalog === undefined || before !== undefined) return before;
    const lookup = this.lookup(catalog);
    const known = this.#texts.get(run.basis);
    const followed =
      known?.catalog === catalog && known.lookup === lookup ? known.followed : this.#read(run, catalog, lookup);
    this.#followed.set(run, followed);
    for (const lineage of followed.lineages) this.#ranAt.set(run, this.memory.ran(lineage, renamesUnseen(run), lookup));
    return followed;
  }

  #read(run: Run, catalog: Catalog, lookup: NameLookup): Followed {
    const names = this.memory.names(lookup);
    const lineages = lineagesOf(run, catalog, names, this.outline);
    const followed = { lineages, held: this.memory.held(lineages, renamesUnseen(run)) };
    // What depends on nothing that the session did before is the same wherever the text runs again.
    const lasting =
      names.made === undefined && lineages.length === 1 && lineages[0]?.statements.every(isOfItsOwn) === true;
    if (lasting) this.#texts.set(run.basis, { catalog, lookup, followed });
    return followed;
  }

  #current(): ColumnRules | undefined {
    const catalog = this.catalog();
    if (catalog === undefined) return undefined;
    if (this.#rules === undefined || this.#rulesOf !== catalog) {
      this.#rules = new ColumnRules(this.rules, catalog);
      this.#rulesOf = catalog;
      this.#refusals = new WeakMap();
    }
    return this.#rules;
  }

  portalNamed(name: string): void {
    this.memory.portalNamed(name);
  }

  declared(run: Run): void {
    const lineage = this.#followed.get(run)?.lineages[0];
    if (lineage !== undefined) this.memory.opened(lineage, this.#ranAt.get(run) ?? 0, renamesUnseen(run));
  }

  /** Does the run read or write a relation with masked columns? Then errors and notices may quote them. */
  touches(run: Run | undefined): boolean {
    const rules = this.#current();
    if (rules === undefined || run === undefined || this.memory.madeUnreadCode) return true;
    const lineages = this.#followed.get(run)?.lineages;
    if (lineages === undefined) return true;
    const { touched, touchedByCursors } = this.memory;
    return (
      lineages.some((lineage) => rules.showsLess(lineage)) ||
      (endsTransaction(run) && rules.showsLess(touched)) ||
      (mayFetch(run) && rules.showsLess(touchedByCursors))
    );
  }

  /**
   * The rule for each column of a result.
   *
   * @param nth which statement of a simple query gives it, from 0; undefined where the text is of one statement
   */
  ofResult(run: Run, nth: number | undefined, columns: readonly ResultColumn[]): readonly (MaskRule | undefined)[] {
    const rules = this.#current();
    if (rules === undefined)
      return columns.map((column) => strongest(this.rules.filter((rule) => meetsByName(rule, column))));
    const followed = this.#followed.get(run);
    if (followed === undefined) return this.#ofResult(rules, followed, nth, columns);
    // The same text described by the same bytes, as drivers run it over and over.
    const known = followed.result;
    if (known?.rules === rules && known.columns === columns && known.nth === nth) return known.masks;
    const masks = this.#ofResult(rules, followed, nth, columns);
    followed.result = { rules, columns, nth, masks };
    return masks;
  }

  #ofResult(
    rules: ColumnRules,
    followed: Followed | undefined,
    nth: number | undefined,
    columns: readonly ResultColumn[],
  ): readonly (MaskRule | undefined)[] {
    const values =
      followed === undefined
        ? columns.map(() => ANYTHING)
        : resultValues(followed.lineages[0]?.statements ?? [], followed.held, nth, columns);
    const masks = columns.map((column, index) => this.#rule(rules, followed, column, values[index] ?? ANYTHING));
    if (followed === undefined || !this.memory.isSettled(this.lookup(rules.catalog))) return masks;
    return withDocuments(masks, columns, resultDocuments(followed.lineages[0]?.statements ?? [], followed.held, nth), {
      rule: (value) => forDerived(value, this.#behind(rules, followed, value)),
      type: (value) => rules.typeOf(value),
    });
  }

  ofCopy(run: Run): readonly CopyColumn[] | undefined {
    const rules = this.#current();
    const followed = this.#followed.get(run);
    const statements = followed?.lineages[0]?.statements ?? [];
    const copies = statements.flatMap((statement) => statement.copies ?? []);
    if (rules === undefined || followed === undefined || statements.length === 0 || copies.length > 1) return undefined;
    const [output] = copies;
    if (output === undefined) return [];
    const columns = output.columns.map(({ name, value }): CopyColumn => {
      const rule = this.#behind(rules, followed, value);
      const typeOid = typeAt(this.catalog(), value);
      // Of what type it is nobody knows, so that nothing can stand in for it.
      return { name, typeOid, rule: rule === undefined || typeOid !== 0 ? rule : { ...rule, strategy: 'null' } };
    });
    if (output.exact) return columns;
    // Which is which nobody can tell, nor of what type.
    return columns.every(({ rule }) => rule === undefined)
      ? columns.map((column) => ({ ...column, typeOid: 0 }))
      : undefined;
  }

  reversible(text: string, prepared: PreparedText = () => undefined): readonly ReversibleValue[] {
    const [catalog, rules] = [this.catalog(), this.#current()];
    if (catalog === undefined || rules === undefined || !this.#reverses) return [];
    const read = (one: string): TextLineage =>
      lineageOf(one, catalog, this.memory.names(this.lookup(catalog)), this.outline(one));
    const { given, statements } = read(text);
    const executed = valuesOfExecute(statements, (name) => {
      const held = prepared(name);
      return held === undefined ? [] : parametersOf(read(held.text), name, held.bySql === true);
    });
    return reversibleValues([...given, ...executed], rules);
  }

  functionPasses(oid: number): boolean {
    if (isOfLargeObjects(oid)) return true;
    const [catalog, rules] = [this.catalog(), this.#current()];
    const routine = catalog?.routine(oid);
    if (catalog === undefined || rules === undefined || routine === undefined) return false;
    const rule = rules.behind(routineResult(catalog, routine), new Set(), true);
    return rule === undefined || rule.observed;
  }

  #rule(
    rules: ColumnRules,
    followed: Followed | undefined,
    column: ResultColumn,
    value: Derivation,
  ): MaskRule | undefined {
    const relation = column.tableOid === 0 ? undefined : this.catalog()?.relation(column.tableOid);
    const index = relation?.columns.findIndex(({ attribute }) => attribute === column.attribute) ?? -1;
    // Columns that every table has, like `ctid`, have no positive number and hold nobody's data.
    if (relation !== undefined && column.attribute > MAX_ATTRIBUTE) return undefined;
    if (relation !== undefined && index >= 0 && column.tableOid >= FIRST_USER_OID) {
      const own = rules.at(placeKey(relation.oid, column.attribute)).rules;
      const behind = columnsBehind(this.catalog() as Catalog, relation)?.[index];
      if (behind === undefined) return strongest(own);
      return together([...own, forDerived(behind, this.#behind(rules, followed, behind))]);
    }
    const derived = forDerived(value, this.#behind(rules, followed, value));
    // A table that was made since the catalogue was read, or nobody can tell: the name counts too.
    const unknown = column.tableOid >= FIRST_USER_OID;
    const named = unknown || value.anything ? this.rules.filter((rule) => meetsByName(rule, column)) : [];
    return together([derived, ...named]);
  }

  #behind(rules: ColumnRules, followed: Followed | undefined, value: Derivation): MaskRule | undefined {
    const lineages = followed?.lineages ?? [];
    const touched = new Set(lineages.flatMap((lineage) => [...lineage.touched]));
    const anything = followed === undefined || lineages.some((lineage) => lineage.touchesAnything);
    return rules.behind(value, touched, anything);
  }
}

/** Attribute numbers on the wire have 16 bits; those above are negative. */
const MAX_ATTRIBUTE = 0x7fff;
