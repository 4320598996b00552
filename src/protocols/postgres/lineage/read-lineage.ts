import type { Catalog, CatalogRelation, CatalogRoutine } from '../catalog/types.js';
import { parseSql } from '../facts/grammar.js';
import type { Outline } from '../facts/outline.js';
import { OverBounds } from '../facts/over-bounds.js';
import { statementRanges } from '../facts/split.js';
import { isNode, listAt, tagged, type TreeNode } from '../facts/tree.js';
import { isMade, jsonShape } from './built-json.js';
import { isChange, readChange } from './changes.js';
import { judgeCondition } from './conditions.js';
import { manyCompared } from './compared-values.js';
import type { Comparison } from './comparison.js';
import { ANYTHING, either, NOTHING, type Derivation } from './derivation.js';
import { valueOf } from './expressions.js';
import { Findings } from './findings.js';
import { replaceableValues } from './given-values.js';
import type { BodyParts } from './body-parts.js';
import { generatedColumns } from './generated-columns.js';
import type { JsonShape } from './json-shape.js';
import { columnsAs, knownBodies, type Known, type KnownRoutine, type KnownView } from './known-bodies.js';
import { readBody, readRoutine } from './kept-routines.js';
import { readSelect } from './queries.js';
import type { Reading, RoutineReading, StatementReading } from './reading.js';
import type { Ctes, Level, Output } from './scope.js';
import type { SessionNames } from './session-names.js';
import { readStatement } from './statements.js';
import { UNFOLLOWED, UNREADABLE, type TextLineage } from './text-lineage.js';

/** In what stands on the server names are looked up as they were when it was made. */
const ANYWHERE: SessionNames = { searchPath: undefined };

/** Steps in which a text must be read; a statement of 10 KB takes some 5,000. */
const MAX_STEPS = 400_000;
const MAX_DEPTH = 1_000;

/**
 * Reads one message; never throws. What cannot be read may touch anything.
 *
 * @param outline of a large text: it is not parsed again; the caller's values are not all in it. `unknown` where it could
 *   not be made
 */
export function readLineage(
  text: string,
  catalog: Catalog,
  names: SessionNames,
  outline?: Outline | 'unknown',
): TextLineage {
  // The parser reads no further than a NUL.
  if (text.includes('\0')) return UNREADABLE;
  if (outline === 'unknown') return UNFOLLOWED;
  try {
    const parsed = text === '' || outline ? { kind: 'tree' as const, tree: outline?.tree ?? {} } : parseSql(text);
    // The server's grammar refuses what ours does; what ours gave up is another thing.
    if (parsed.kind !== 'tree') return parsed.kind === 'refused' ? UNREADABLE : UNFOLLOWED;
    const list = listAt(parsed.tree, 'stmts');
    const ranges = statementRanges(text, list);
    const reader = new LineageReader(catalog, names);
    const compared: (readonly Comparison[])[] = [];
    const statements = list.map((item, index) => {
      const range = ranges[index];
      const source = (): string => (range === undefined ? text : text.slice(range.start, range.end));
      const read = readStatement(reader, isNode(item) ? item['stmt'] : undefined, source);
      if (read.makes !== undefined) reader.findings.made.push(read.makes);
      const { bySetting, changesSettings, touchesAnything: unseen } = reader.findings;
      const settled = bySetting.splice(0);
      if (changesSettings || unseen) for (const use of settled) reader.findings.note(use);
      const many = manyCompared(reader.findings.comparisons.splice(0));
      if (many.length > 0) compared.push(many);
      return read;
    });
    const { uses, touched, touchesAnything, callsRoutines, made } = reader.findings;
    const given = replaceableValues(reader.findings.given, list);
    const computed = [...reader.findings.computed];
    return { statements, uses, computed, compared, given, touched, touchesAnything, callsRoutines, made };
  } catch (error) {
    if (error instanceof OverBounds || error instanceof RangeError) return UNFOLLOWED;
    throw error;
  }
}

interface Effort {
  steps: number;
  depth: number;
}

class LineageReader implements Reading {
  readonly names: SessionNames;
  readonly #known: Known;

  constructor(
    readonly catalog: Catalog,
    private readonly given: SessionNames,
    readonly inBody = false,
    private readonly effort: Effort = { steps: 0, depth: 0 },
    readonly findings: Findings = new Findings(),
    private readonly around?: Level,
  ) {
    this.#known = knownBodies(catalog);
    // Statements of one message see what those before them made.
    this.names = {
      searchPath: given.searchPath,
      made: (name) => [...(given.made?.(name) ?? []), ...findings.made.filter((made) => made.name === name)],
    };
  }

  /** The same reading where names may be parameters and variables; what it finds is the statement's. */
  body(around?: Level): Reading {
    return new LineageReader(this.catalog, this.given, true, this.effort, this.findings, around);
  }

  step(count = 1): void {
    this.effort.steps += count;
    if (this.effort.steps > MAX_STEPS) throw new OverBounds('too much to follow');
  }

  statement(node: unknown): StatementReading {
    return readStatement(this, node, () => '');
  }

  value(node: unknown, level: Level): Derivation {
    const value = this.#deeper(() => valueOf(this, node, level));
    if (!value.plain) for (const origin of value.origins) this.findings.derivesFrom.add(origin);
    return value;
  }

  shape(node: unknown, level: Level): JsonShape | undefined {
    const { shapes } = this.findings;
    if (!isMade(node)) return jsonShape(this, node, level);
    const known = shapes.at(node, level) ?? { value: this.#deeper(() => jsonShape(this, node, level)) };
    this.step(known.value?.size ?? 0);
    return shapes.keep(node, level, known.value);
  }

  condition(node: unknown, level: Level, clause: string): void {
    this.#deeper(() => {
      judgeCondition(this, node, level, clause);
    });
  }

  query(node: unknown, level: Level | undefined, inSight: Ctes | undefined): Output {
    const outer = level ?? this.around;
    const ctes = inSight ?? this.around?.ctes;
    const { type, node: inner } = tagged(node) ?? { type: '', node: {} };
    if (type === 'SelectStmt') return this.select(inner, outer, ctes);
    if (isChange(type)) return this.#deeper(() => readChange(this, type, inner, outer, ctes));
    this.findings.touchesAnything = true;
    return { columns: [{ name: '', value: ANYTHING }], exact: false };
  }

  select(node: TreeNode, outer: Level | undefined, ctes: Ctes | undefined): Output {
    return this.#deeper(() => readSelect(this, node, outer, ctes));
  }

  #deeper<T>(work: () => T): T {
    if ((this.effort.depth += 1) > MAX_DEPTH) throw new OverBounds('nested too deeply to follow');
    try {
      return work();
    } finally {
      this.effort.depth -= 1;
    }
  }

  view(relation: CatalogRelation): readonly Derivation[] | undefined {
    return this.#columns(relation, () => this.#readView(relation));
  }

  viewDocuments({ oid, kind }: CatalogRelation): readonly (JsonShape | undefined)[] {
    const known = kind === 'view' ? this.#known.views.get(oid) : undefined;
    return known === undefined || known === 'running' ? [] : (known.documents ?? []);
  }

  generated(relation: CatalogRelation): readonly Derivation[] | undefined {
    // What a default says names no column.
    if (relation.columns.every(({ expression }) => expression === undefined)) return undefined;
    return this.#columns(relation, () => {
      const inner = new LineageReader(this.catalog, ANYWHERE, false, { steps: 0, depth: this.effort.depth });
      this.#known.views.set(relation.oid, 'running');
      const known = { columns: generatedColumns(inner, relation), findings: inner.findings.whole() };
      this.#known.views.set(relation.oid, known);
      return known;
    });
  }

  #columns({ oid }: CatalogRelation, read: () => KnownView): readonly Derivation[] | undefined {
    const known = this.#known.views.get(oid) ?? read();
    if (known === 'running') return undefined;
    this.findings.touchesAll(known.findings);
    return known.columns;
  }

  #readView(relation: CatalogRelation): KnownView {
    this.#known.views.set(relation.oid, 'running');
    const inner = new LineageReader(this.catalog, ANYWHERE, false, { steps: 0, depth: this.effort.depth });
    let output: Output;
    try {
      output = inner.#definition(relation.definition);
    } finally {
      this.#known.views.delete(relation.oid);
    }
    const known = { ...columnsAs(output, relation.columns.length), findings: inner.findings.whole() };
    this.#known.views.set(relation.oid, known);
    return known;
  }

  #definition(text: string | undefined): Output {
    try {
      const parsed = parseSql(text ?? '');
      const first = parsed.kind === 'tree' ? listAt(parsed.tree, 'stmts')[0] : undefined;
      return this.query(isNode(first) ? first['stmt'] : undefined, undefined, undefined);
    } catch (error) {
      if (!(error instanceof OverBounds)) throw error;
      this.findings.touchesAnything = true;
      return { columns: [{ name: '', value: ANYTHING }], exact: false };
    }
  }

  madeView(query: TreeNode): Derivation {
    const { running } = this.findings;
    // A view over another of its name: the server knows which, this does not.
    if (running.has(query)) return ANYTHING;
    running.add(query);
    const inner = new LineageReader(this.catalog, this.given, false, this.effort, this.findings.behind());
    inner.findings.made.push(...this.findings.made);
    const output = inner.query(query, undefined, undefined);
    this.findings.touchesAll(inner.findings);
    // What it names may be other than when it was made.
    for (const use of inner.findings.uses) this.findings.note(use);
    running.delete(query);
    return either(output.columns.map((column) => column.value));
  }

  madeRoutine(body: BodyParts | undefined): RoutineReading {
    const { running } = this.findings;
    this.findings.changesSettings = true;
    if (body === undefined || running.has(body)) {
      this.findings.touchesAnything = true;
      return { result: ANYTHING, hasEffects: true, unread: true };
    }
    running.add(body);
    const inner = new LineageReader(this.catalog, this.given, true, this.effort, this.findings.behind());
    inner.findings.made.push(...this.findings.made);
    const { result } = readBody(inner, body);
    this.findings.touchesAll(inner.findings);
    for (const use of inner.findings.uses) this.findings.note(use);
    this.findings.routineResults.push(result);
    running.delete(body);
    // How many rows it gives is not known here.
    return { result, hasEffects: true };
  }

  shownBy(body: BodyParts): Derivation {
    return readBody(new LineageReader(this.catalog, this.given, true, this.effort, this.findings.behind()), body)
      .result;
  }

  routine(routine: CatalogRoutine): RoutineReading {
    if (!routine.extension) this.findings.changesSettings = true;
    const known = this.#known.routines.get(routine.oid) ?? this.#readRoutine(routine);
    if (known === 'running') {
      // It calls itself: what it gives is found out already, but not what stands between is.
      this.findings.incomplete = true;
      return { result: NOTHING, hasEffects: false };
    }
    this.findings.touchesAll(known.findings);
    this.findings.routineResults.push(known.read.result);
    return known.read;
  }

  #readRoutine(routine: CatalogRoutine): KnownRoutine {
    const { routines } = this.#known;
    routines.set(routine.oid, 'running');
    const inner = new LineageReader(this.catalog, ANYWHERE, true, { steps: 0, depth: this.effort.depth });
    let read: RoutineReading;
    try {
      read = readRoutine(inner, routine);
    } catch (error) {
      if (!(error instanceof OverBounds)) throw error;
      read = { result: ANYTHING, hasEffects: true };
      inner.findings.touchesAnything = true;
    } finally {
      routines.delete(routine.oid);
    }
    const known = { read, findings: inner.findings.whole() };
    // Nothing that it could have waited for runs any more: then it is known whole.
    if (![...routines.values()].includes('running')) inner.findings.incomplete = false;
    if (!inner.findings.incomplete) routines.set(routine.oid, known);
    return known;
  }
}

/** What is behind each column of a view, or of a table with generated columns; undefined for another relation. */
export function columnsBehind(catalog: Catalog, relation: CatalogRelation): readonly Derivation[] | undefined {
  const reader = new LineageReader(catalog, ANYWHERE);
  if (relation.kind !== 'view' && relation.kind !== 'materialized-view') return reader.generated(relation);
  return reader.view(relation);
}

/** What is behind what a routine gives. */
export function routineResult(catalog: Catalog, routine: CatalogRoutine): Derivation {
  return new LineageReader(catalog, ANYWHERE).routine(routine).result;
}
