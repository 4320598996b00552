import type { NameLookup } from '../catalog/types.js';
import type { TreeNode } from '../facts/tree.js';
import type { BodyParts } from './body-parts.js';

/**
 * What a statement has made. A table holds only what was moved there, a view shows its query, a routine does what
 * its body says; casts are all called `cast`, operators and aggregates are routines by their names.
 */
export interface Made {
  readonly kind: 'table' | 'view' | 'routine';
  readonly name: string;
  /** Of a view; undefined where what it shows could not be kept. */
  readonly query?: TreeNode;
  /** Of a routine; undefined where it could not be read. */
  readonly body?: BodyParts;
}

/** Stands for every cast. */
export const ANY_CAST = 'cast';

/** How names are looked up, and what a session's own statements made, which the catalogue may not show yet. */
export interface SessionNames extends NameLookup {
  made?(name: string): readonly Made[];
}
