import { WriteBackGuard } from '../../protocols/postgres/write-back/write-back.js';
import type { MaskCounts, MaskPlan, MaskRule } from '../../core/mask.js';
import type { EntityResource } from '../../core/resources.js';
import { maskWhole } from '../../masking/text-masker.js';
import type { RuleMatch, SqlFacts } from '../../policy/types.js';
import { typeOidOf, writtenCatalog, type WrittenDatabase } from '../../protocols/postgres/catalog/written-catalog.js';
import type { Catalog, NameLookup } from '../../protocols/postgres/catalog/types.js';
import type { ResultColumn } from '../../protocols/postgres/results/columns.js';
import { boundTo, completeFacts, readSql } from '../../protocols/postgres/facts/analyze.js';
import { ColumnMasks } from '../../protocols/postgres/lineage/column-masks.js';
import { lineageOf } from '../../protocols/postgres/lineage/lineage-cache.js';
import { SessionMemory } from '../../protocols/postgres/lineage/session-memory.js';
import type { Run } from '../../protocols/postgres/statements/run.js';
import { CellMasker } from '../../protocols/postgres/values/cell-masker.js';
import { entityMasker, TRIAL_HASH } from './value-trial.js';

type Cell = string | number | boolean | null;
type Row = Readonly<Record<string, Cell>>;

/** What is known of a database for trials: read once, used by many. */
export interface KnownDatabase {
  readonly catalog: Catalog;
  readonly lookup: NameLookup;
}

const NOTHING_KNOWN: WrittenDatabase = { searchPath: ['public'], tables: {}, views: {}, functions: {} };

export function knownDatabase(written: WrittenDatabase): KnownDatabase;
export function knownDatabase(written: WrittenDatabase | undefined): KnownDatabase | undefined;
export function knownDatabase(written: WrittenDatabase | undefined): KnownDatabase | undefined {
  if (written === undefined) return undefined;
  const catalog = writtenCatalog(written);
  return { catalog, lookup: { searchPath: catalog.searchPath } };
}

/** Names of the columns of a statement's result, as far as its text tells them. */
export function outputNames(text: string, database: KnownDatabase | undefined): readonly string[] {
  const { catalog, lookup } = database ?? knownDatabase(NOTHING_KNOWN);
  const outputs = lineageOf(text, catalog, lookup).statements.flatMap(({ output }) => output ?? []);
  return outputs.flatMap(({ columns }) => columns.map(({ name }) => name)).filter((name) => name !== '');
}

/** One statement as the agent would take it: its facts, what masks refuse of it, and what of its rows goes out. */
export class SqlTrial {
  readonly facts: SqlFacts;
  readonly #run: Run;
  readonly #columns: ColumnMasks;
  readonly #writeBack: WriteBackGuard;

  constructor(
    text: string,
    private readonly params: readonly (string | null)[],
    private readonly plan: MaskPlan,
    private readonly entities: readonly EntityResource[],
    private readonly database: KnownDatabase | undefined,
  ) {
    const read = readSql(text).facts;
    const basis = database === undefined ? read : completeFacts(read, database.catalog, database.lookup);
    this.facts = params.length === 0 ? basis : boundTo(basis, { text, params });
    this.#run = { statement: 1, text, facts: this.facts, basis: read, completedBasis: basis, startedMs: 0 };
    const rules = plan.rules.filter((rule) => rule.columns.length > 0 && rule.on.answers);
    const lookup = (): NameLookup => database?.lookup ?? { searchPath: undefined };
    this.#columns = new ColumnMasks(rules, () => database?.catalog, lookup, new SessionMemory());
    this.#columns.asked(this.#run);
    this.#writeBack = new WriteBackGuard(plan.rules);
  }

  /** Uses of masked columns that would tell of them, where a database is known, and masked values that are written back. */
  refusals(): readonly RuleMatch[] {
    const back = this.#writeBack.refusal(this.#run, this.params);
    const told = back === undefined ? [] : [{ ...back, observed: false }];
    return [...this.#columns.judged(this.facts), ...told].map(({ rule, observed, message }) => {
      const [policy = '', mask = ''] = rule.split('/');
      return { policy, rule: mask, action: 'block', message, observed };
    });
  }

  /** The rule that masks each column of the result whole. */
  columnRules(names: readonly string[]): readonly (MaskRule | undefined)[] {
    return this.#columns.ofResult(this.#run, undefined, names.map(untold));
  }

  /** The rows as they go out. Adds the names of the masks that met something. */
  mask(rows: readonly Row[], met: Set<string>): Row[] {
    const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    const rules = this.columnRules(names);
    const counts: MaskCounts = new Map();
    const values = entityMasker(this.plan, this.entities);
    const enforced = (rule: MaskRule | undefined): MaskRule | undefined => (rule?.observed === true ? undefined : rule);
    const columns = names.map((name, index) => ({
      name,
      typeOid: this.#typeOf(name),
      format: 0,
      rule: enforced(rules[index]),
    }));
    const cellsUnder = (name: string): CellMasker =>
      new CellMasker({ values: values?.masker.under(name) ?? values?.masker, counts, maskWhole, hash: TRIAL_HASH });
    const cells = new Map(names.map((name) => [name, cellsUnder(name)]));
    for (const { rule } of columns) if (rule !== undefined) met.add(rule.name);
    return rows.map((row) =>
      Object.fromEntries(
        columns.flatMap((column): [string, Cell][] => {
          const cell = row[column.name];
          if (cell === undefined || cell === null) return cell === undefined ? [] : [[column.name, null]];
          const text = String(cell);
          values?.meets(text, met);
          const own = cells.get(column.name) ?? cellsUnder(column.name);
          const masked = own.mask(column, own.shapeOf(column.typeOid), new TextEncoder().encode(text));
          return [
            [column.name, masked === undefined ? cell : masked === null ? null : new TextDecoder().decode(masked)],
          ];
        }),
      ),
    );
  }

  /** Of a column by its name, where the tables that are read have one type for it. */
  #typeOf(name: string): number {
    const relations = this.facts.reads.flatMap(({ name: table }) => this.database?.catalog.relationsNamed(table) ?? []);
    const types = relations.flatMap(({ columns }) => columns.filter((column) => column.name === name));
    return types[0]?.typeOid ?? typeOidOf('text');
  }
}

/** A column of which the wire tells no more than its name. */
function untold(name: string): ResultColumn {
  return { name, tableOid: 0, attribute: 0, typeOid: typeOidOf('text'), format: 0 };
}
