import type { SqlFacts } from '../../policy/types.js';
import type { ResultColumn } from './columns.js';

/** One statement that was decided, while it runs. */
export interface Run {
  /** Number in the session, from 1. */
  readonly statement: number;
  readonly text: string;
  readonly facts: SqlFacts;
  /** The facts without what is bound; the same object wherever the same text is run again. */
  readonly basis: SqlFacts;
  readonly startedMs: number;
  /** Texts of the prepared statements that an EXECUTE in it may run. */
  readonly executes?: readonly string[];
}

/** A bound statement. `columns` once a RowDescription told them. */
export interface Portal {
  readonly run: Run;
  columns: readonly ResultColumn[] | 'none' | undefined;
  /** The Bind failed: the server may hold something else under the name. */
  failed?: boolean;
}
