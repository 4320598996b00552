import type { Comparison } from './comparison.js';
import { isNothing, type Derivation } from './derivation.js';
import type { Brought, GivenValue } from './given-values.js';
import type { JsonShape } from './json-shape.js';
import type { Level, OutputColumn } from './scope.js';
import type { Made } from './session-names.js';
import type { Computed, Use } from './uses.js';

/** What nodes are where some names are in sight. */
class Reads<Value> {
  // A WeakMap takes as much time as reading the rest of a statement.
  #kept: Map<unknown, { readonly level: Level; readonly value: Value }> | undefined;

  at(node: unknown, level: Level): { readonly value: Value } | undefined {
    const known = this.#kept?.get(node);
    return known?.level === level ? known : undefined;
  }

  clear(): void {
    this.#kept = undefined;
  }

  keep(node: unknown, level: Level, value: Value): Value {
    (this.#kept ??= new Map()).set(node, { level, value });
    return value;
  }
}

/** Is any column in it? */
function tells(use: Exclude<Use, { kind: 'unread' }>): boolean {
  if (use.kind === 'renamed') return true;
  return 'left' in use ? !isNothing(use.left) || !isNothing(use.right) : !isNothing(use.value);
}

/** What one reading gathers besides what its statements give. */
export class Findings {
  readonly uses: Use[] = [];
  /** What may fail by what columns hold, behind views and routines too. */
  readonly computed = new Set<Computed>();
  /** Values of the caller's that columns have to equal. */
  readonly given: GivenValue[] = [];
  /** Rows of the caller's that columns have to equal, in the query that is read now. */
  readonly brought: Brought[] = [];
  /** What columns are compared with, in the statement that is read now. */
  readonly comparisons: Comparison[] = [];
  /** Relations read or written, those behind views and routines too. */
  readonly touched = new Set<number>();
  /** Something is read that nobody can tell. */
  touchesAnything = false;
  callsRoutines = false;
  /** A function is called that keeps, shows or multiplies what it is given. */
  keepsValues = false;
  /** A routine was met that is being read: what calls it is not known whole. */
  incomplete = false;
  /** Columns compared with a setting of the caller's: one value for all rows where nothing beside changes settings. */
  readonly bySetting: Use[] = [];
  /** Code of users runs, or what may change settings: for each row there may be another. */
  changesSettings = false;
  /** All that something is made of, other than as it stands. */
  readonly derivesFrom = new Set<number>();
  /** Columns that are written, by routines and triggers too. */
  readonly written = new Set<Derivation>();
  /** All columns named anywhere. */
  readonly mentioned = new Set<number>();
  /** What the routines called give. */
  readonly routineResults: Derivation[] = [];
  readonly made: Made[] = [];
  /** What sub-selects give, by their nodes. */
  readonly documents = new WeakMap<object, Pick<OutputColumn, 'json' | 'isJsonb'>>();
  /** Calls and sub-selects that were read, and what they were found to be: what they do is noted once. */
  readonly values = new Reads<Derivation>();
  readonly shapes = new Reads<JsonShape | undefined>();

  /** @param running queries of views and bodies that are being read */
  constructor(readonly running = new Set<object>()) {}

  note(use: Use): void {
    if (use.kind === 'unread' || tells(use)) this.uses.push(use);
  }

  mentions(value: Derivation): void {
    for (const origin of value.origins) this.mentioned.add(origin);
    if (value.anything) this.touchesAnything = true;
  }

  /** What stands behind a view or a routine is touched too. */
  touchesAll(inner: Findings): void {
    for (const relation of inner.touched) this.touched.add(relation);
    for (const value of inner.written) this.written.add(value);
    this.touchesAnything ||= inner.touchesAnything;
    this.incomplete ||= inner.incomplete;
    this.changesSettings ||= inner.changesSettings;
    // Its conditions are its maker's, but whether it fails is told to whoever runs it.
    for (const one of inner.computed) this.computed.add(one);
  }

  /** The same when all is read: of the trees nothing is kept any longer. */
  whole(): this {
    this.values.clear();
    this.shapes.clear();
    return this;
  }

  /** For what stands behind a view: its own conditions are its maker's. */
  behind(): Findings {
    return new Findings(this.running);
  }
}
