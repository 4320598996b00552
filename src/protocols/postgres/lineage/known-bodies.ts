import type { Catalog } from '../catalog/types.js';
import { derived, type Derivation } from './derivation.js';
import type { Findings } from './findings.js';
import type { JsonShape } from './json-shape.js';
import type { RoutineReading } from './reading.js';
import type { Output } from './scope.js';

/** What is behind the views and routines of one reading of the catalogue: the same for every text. */
export interface Known {
  readonly views: Map<number, KnownView | 'running'>;
  readonly routines: Map<number, KnownRoutine | 'running'>;
}

export interface KnownView {
  readonly columns: readonly Derivation[];
  /** The JSON documents among them, by the same places. */
  readonly documents?: readonly (JsonShape | undefined)[];
  readonly findings: Findings;
}

export interface KnownRoutine {
  readonly read: RoutineReading;
  readonly findings: Findings;
}

const knownOf = new WeakMap<Catalog, Known>();

export function knownBodies(catalog: Catalog): Known {
  const known = knownOf.get(catalog) ?? { views: new Map(), routines: new Map() };
  knownOf.set(catalog, known);
  return known;
}

/** The columns of a view that a query gives; where they do not fit, each may be any. */
export function columnsAs({ columns, exact }: Output, count: number): Pick<KnownView, 'columns' | 'documents'> {
  const values = columns.map((column) => column.value);
  if (!exact || values.length !== count) return { columns: new Array<Derivation>(count).fill(derived(values)) };
  return { columns: values, documents: columns.map(({ json }) => json) };
}
