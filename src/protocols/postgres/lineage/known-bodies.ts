import type { Catalog } from '../catalog/types.js';
import type { Derivation } from './derivation.js';
import type { Findings } from './findings.js';
import type { RoutineReading } from './reading.js';

/** What is behind the views and routines of one reading of the catalogue: the same for every text. */
export interface Known {
  readonly views: Map<number, KnownView | 'running'>;
  readonly routines: Map<number, KnownRoutine | 'running'>;
}

export interface KnownView {
  readonly columns: readonly Derivation[];
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
