import type { SqlFacts } from '../../policy/types.js';
import type { ResultColumn } from './columns.js';

/** One statement that was decided, while it runs. */
export interface Run {
  /** Number in the session, from 1. */
  readonly statement: number;
  readonly text: string;
  readonly facts: SqlFacts;
  readonly startedMs: number;
}

/** A bound statement. `columns` once a RowDescription told them. */
export interface Portal {
  readonly run: Run;
  readonly resultFormats: readonly number[];
  columns: readonly ResultColumn[] | 'none' | undefined;
  /** A Describe is under way or answered. */
  described?: boolean;
}
