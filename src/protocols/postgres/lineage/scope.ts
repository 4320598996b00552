import { inside, listAt, namesIn, type TreeNode } from '../facts/tree.js';
import { derived, either, NOTHING, unresolved, type Derivation } from './derivation.js';
import type { JsonShape } from './json-shape.js';

/** A column that a source or a query gives, by the name it can be called by. */
export interface OutputColumn {
  readonly name: string;
  readonly value: Derivation;
  /** The server may give it another name. */
  readonly guessed?: true;
  /** One of a table's rows that a name in FROM stands for: two columns of the same are of the same row. */
  readonly row?: object;
  /** It is a JSON document of this shape, or would become one. */
  readonly json?: JsonShape;
  /** It is the text of a JSON document of this shape. */
  readonly jsonText?: JsonShape;
  /** It is of type jsonb, for certain. */
  readonly isJsonb?: true;
  /** All that it may hold, where the caller brought that; see `given-columns.ts`. */
  readonly given?: GivenColumn;
}

/** Values of the caller's, as they are written in the text. */
export interface GivenColumn {
  /** A tree: a value, a List of values, an array. */
  readonly side: unknown;
  /** It is an array each of whose elements is a value. */
  readonly isArray: boolean;
  /** A row that was put in, which a trigger may have changed before. */
  readonly isPutIn?: true;
}

/** What a query gives. Where `exact` is false neither number nor order of the columns is known: each may be any of them. */
export interface Output {
  readonly columns: readonly OutputColumn[];
  readonly exact: boolean;
}

/** WITH queries in sight, innermost first; each is read when it is first named. */
export interface Ctes {
  readonly name: string;
  readonly next: Ctes | undefined;
  output(): Output;
}

/** A named thing in FROM. */
export interface Source {
  readonly name: string;
  readonly columns: readonly OutputColumn[];
  /** Set where it has columns of names that are not known: what each of those derives from. */
  readonly open: Derivation | undefined;
  /** Its rows have these names of columns for themselves, none that only the alias gives. */
  readonly ownNames?: true;
}

/** One query level: what names in it can mean. */
export interface Level {
  readonly sources: readonly Source[];
  /** What `*` stands for, merged columns of joins once. */
  readonly columns: readonly OutputColumn[];
  readonly open: Derivation | undefined;
  readonly outer: Level | undefined;
  readonly ctes: Ctes | undefined;
}

/** What one item of FROM adds to a level. */
export type Item = Pick<Level, 'sources' | 'columns' | 'open'>;

/** Stands for the name in an open source of which nothing is known. */
const ANY_NAME = '*';
export const UNKNOWN_COLUMNS: Derivation = unresolved(ANY_NAME);

function openAs(open: Derivation, name: string): Derivation {
  if (!open.unresolved.includes(ANY_NAME)) return open;
  return { ...open, unresolved: open.unresolved.map((known) => (known === ANY_NAME ? name : known)) };
}

const SYSTEM_COLUMNS = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid']);

export function wholeOf(source: {
  readonly columns: readonly OutputColumn[];
  readonly open: Derivation | undefined;
}): Derivation {
  const values = source.columns.map((column) => column.value);
  return derived(source.open === undefined ? values : [...values, source.open]);
}

/** Several items of FROM side by side. */
export function levelOf(items: readonly Item[], outer: Level | undefined, ctes: Ctes | undefined): Level {
  const opens = items.flatMap((item) => (item.open === undefined ? [] : [item.open]));
  return {
    sources: items.flatMap((item) => item.sources),
    columns: items.flatMap((item) => item.columns),
    open: opens.length === 0 ? undefined : either(opens),
    outer,
    ctes,
  };
}

/** What a column reference stands for, `t.*` and `*` left to `expandStar`. */
export function resolveColumn(names: readonly string[], level: Level | undefined): Derivation {
  const name = names.at(-1) ?? '';
  const found = names.length === 1 ? unqualified(name, level) : qualified(names.at(-2) ?? '', name, level);
  return found ?? unresolved(name);
}

function unqualified(name: string, level: Level | undefined): Derivation | undefined {
  if (level === undefined) return SYSTEM_COLUMNS.has(name) ? NOTHING : undefined;
  const named = level.columns.filter((column) => column.name === name);
  if (named.length > 0) return either(named.map((column) => column.value));
  const whole = level.sources.filter((source) => source.name === name);
  if (whole.length > 0) return derived(whole.map(wholeOf));
  const outside = unqualified(name, level.outer);
  if (level.open === undefined) return outside;
  // The level may have a column of that name, or not: then it is one from outside.
  const open = openAs(level.open, name);
  return outside === undefined ? open : either([open, outside]);
}

export function findSource(name: string, level: Level | undefined): readonly Source[] {
  for (let at = level; at !== undefined; at = at.outer) {
    const found = at.sources.filter((source) => source.name === name);
    if (found.length > 0) return found;
  }
  return [];
}

function qualified(qualifier: string, name: string, level: Level | undefined): Derivation | undefined {
  const sources = findSource(qualifier, level);
  if (sources.length === 0) return undefined;
  return either(
    sources.map((source) => {
      const named = source.columns.filter((column) => column.name === name);
      if (named.length > 0) return either(named.map((column) => column.value));
      if (source.open !== undefined) return openAs(source.open, name);
      if (SYSTEM_COLUMNS.has(name)) return NOTHING;
      // `t.f` is also `f(t)`.
      return wholeOf(source);
    }),
  );
}

/** The one column that a reference means; undefined where it might be another. */
export function columnNamed(names: readonly string[], level: Level | undefined): OutputColumn | undefined {
  const name = names.at(-1);
  for (let at = level; at !== undefined; at = at.outer) {
    const sources = at.sources.filter((source) => source.name === names.at(-2));
    const among = names.length === 1 ? [at] : sources;
    const [found, ...others] = among.flatMap(({ columns }) => columns.filter((column) => column.name === name));
    if (found !== undefined) return others.length === 0 && among.length === 1 ? found : undefined;
    if (sources.length > 0 || at.open !== undefined) return undefined;
  }
  return undefined;
}

/** The source whose whole row `t` or `t.*` is. */
export function rowMeant(column: TreeNode, level: Level): Source | undefined {
  const fields = listAt(column, 'fields');
  const isStar = fields.length === 2 && inside(fields[1], 'A_Star') !== undefined;
  const [name, ...more] = namesIn(fields);
  if (name === undefined || more.length > 0 || (!isStar && fields.length > 1)) return undefined;
  return sourceNamed(name, level, isStar);
}

/** What a bare name of FROM stands for, where no column has that name; of `t.*` (`isStar`) no column is meant. */
function sourceNamed(name: string, level: Level, isStar: boolean): Source | undefined {
  for (let at: Level | undefined = level; at !== undefined; at = at.outer) {
    if (!isStar && (at.open !== undefined || at.columns.some((column) => column.name === name))) return undefined;
    const [source, ...others] = at.sources.filter((one) => one.name === name);
    if (source !== undefined) return others.length === 0 ? source : undefined;
  }
  return undefined;
}

/** The columns of `*` (no qualifier) or `t.*`. */
export function expandStar(qualifier: string | undefined, level: Level): Output {
  if (qualifier === undefined) return { columns: withOpen(level), exact: level.open === undefined };
  const sources = findSource(qualifier, level);
  const [only] = sources;
  // A composite column can be taken apart too: `(c).*`.
  if (only === undefined) return { columns: [{ name: '', value: resolveColumn([qualifier], level) }], exact: false };
  return { columns: sources.flatMap(withOpen), exact: sources.length === 1 && only.open === undefined };
}

function withOpen(from: {
  readonly columns: readonly OutputColumn[];
  readonly open: Derivation | undefined;
}): readonly OutputColumn[] {
  return from.open === undefined ? from.columns : [...from.columns, { name: '', value: from.open }];
}

/** The columns of an output as a source under an alias with column names of its own. */
export function renamedColumns(columns: readonly OutputColumn[], names: readonly string[]): readonly OutputColumn[] {
  return names.length === 0
    ? columns
    : columns.map((column, index) => ({ ...column, name: names[index] ?? column.name }));
}
