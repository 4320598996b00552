import type { SqlFacts } from '../../../policy/types.js';
import type { BoundValues } from './bound-values.js';
import type { ResultColumn } from '../results/columns.js';
import type { Swap } from '../originals/plan-text.js';
import type { Edit } from '../originals/rewrite-text.js';

/** One statement that was decided, while it runs. */
export interface Run {
  /** Number in the session, from 1. */
  readonly statement: number;
  readonly text: string;
  /** Of its text; completed from the catalogue where one is read. */
  facts: SqlFacts;
  /** The facts of the text alone, without what is bound; the same object wherever the same text is run again. */
  readonly basis: SqlFacts;
  /** The same, completed from the catalogue where one is read. */
  completedBasis?: SqlFacts | undefined;
  /** Monotonic milliseconds at which it went up; until then, at which it came. */
  startedMs: number;
  /** Set where the server has values that the client has only pseudonyms of; where its text differs from `text`. */
  edits?: readonly Edit[];
  /** Set where it shows a plan in which values stand that the client has only pseudonyms of. */
  swaps?: readonly Swap[] | undefined;
  /** Texts of the prepared statements that an EXECUTE in it may run. */
  readonly executes?: readonly string[] | undefined;
  /** Whether it fails may tell of a masked column: nothing behind it is judged before that is known. */
  tells?: true;
  /** Object id of the function that a function-call message names. */
  readonly calls?: number;
  /** What is bound to it, until it is decided. */
  readonly bound?: BoundValues | undefined;
}

/** Values behind pseudonyms stand in an EXECUTE, for the statement that was held under its name then. */
export interface ExecutedOriginals {
  readonly name: string;
  readonly held: object;
}

/** A bound statement. `columns` once a RowDescription told them. */
export interface Portal {
  readonly run: Run;
  columns: readonly ResultColumn[] | 'none' | undefined;
  /** Nothing else has run since its columns were told. */
  describedIn?: number;
  /** The Bind failed: the server may hold something else under the name. */
  failed?: boolean;
  /** The server has opened it: the end of a transaction that is told after that has closed it. */
  opened?: boolean;
  /** What names of prepared statements stood for when it was judged, where it is an EXECUTE of one. */
  judgedBy?: number;
  /** It may run only while that is still what its name stands for. */
  originalsFor?: ExecutedOriginals | undefined;
  /** What had run when it was bound, of all that may close it and open a cursor of its name. */
  boundIn?: number;
}
