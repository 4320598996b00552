import type { NameLookup } from '../catalog/types.js';
import type { TreeNode } from '../facts/tree.js';

/** A relation that a statement has made. A table holds only what was moved there; a view shows its query. */
export interface Made {
  readonly kind: 'table' | 'view';
  readonly name: string;
  /** Of a view; undefined where what it shows could not be kept. */
  readonly query?: TreeNode;
}

/** How names are looked up, and what a session's own statements made, which the catalogue may not show yet. */
export interface SessionNames extends NameLookup {
  made?(name: string): readonly Made[];
}
