import type { NameLookup } from '../catalog/types.js';
import type { TreeNode } from '../facts/tree.js';
import type { BodyParts } from './body-parts.js';

/**
 * What a statement has made. A table holds only what was moved there, a view shows its query, a routine does what
 * its body says; casts are all called `cast`, operators and aggregates are routines by their names.
 */
export type Made = MadeObject | MadeRoutine | MadeTrigger;

export interface MadeObject {
  readonly kind: 'table' | 'view';
  readonly name: string;
  /** Of a view; undefined where what it shows could not be kept. */
  readonly query?: TreeNode;
}

export interface MadeRoutine {
  readonly kind: 'routine';
  readonly name: string;
  /** Absent where nobody can tell. */
  readonly schema?: string;
  /** Undefined where it could not be read. */
  readonly body?: BodyParts;
}

/** A trigger, by the name of its function. */
export interface MadeTrigger {
  readonly kind: 'trigger';
  readonly name: string;
  /** A RangeVar. */
  readonly relation: TreeNode;
  /** What it calls the tables of all rows before and after. */
  readonly transitions: readonly string[];
}

/** Stands for every cast. */
export const ANY_CAST = 'cast';

/** The routines among what a session made. */
export function madeRoutines(made: readonly Made[] = []): readonly MadeRoutine[] {
  return made.filter((one) => one.kind === 'routine');
}

/** How names are looked up, and what a session's own statements made, which the catalogue may not show yet. */
export interface SessionNames extends NameLookup {
  made?(name: string): readonly Made[];
}
