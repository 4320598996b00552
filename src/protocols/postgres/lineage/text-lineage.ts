import type { Comparison } from './comparison.js';
import { ANYTHING } from './derivation.js';
import type { GivenValue } from './given-values.js';
import type { StatementReading } from './reading.js';
import type { Made } from './session-names.js';
import type { Computed, Use } from './uses.js';

/** What is read or written. */
export interface Touched {
  /** Relations, those behind views and routines too. */
  readonly touched: ReadonlySet<number>;
  /** Something is read that nobody can tell: any column may be behind what it gives. */
  readonly touchesAnything: boolean;
}

/** Everything one text tells of where the columns in it go. */
export interface TextLineage extends Touched {
  readonly statements: readonly StatementReading[];
  readonly uses: readonly Use[];
  /** What may fail, or take long, by what columns hold. */
  readonly computed: readonly Computed[];
  /** By statement, where one may compare columns with too many values. */
  readonly compared: readonly (readonly Comparison[])[];
  /** The caller's values that could be replaced by what they stand for. */
  readonly given: readonly GivenValue[];
  /** It calls routines of users: they may open cursors. */
  readonly callsRoutines: boolean;
  /** What it makes that later statements may name. */
  readonly made: readonly Made[];
}

/** Of a text that no grammar reads. */
export const UNREADABLE: TextLineage = {
  statements: [],
  uses: [],
  computed: [],
  compared: [],
  given: [],
  touched: new Set(),
  touchesAnything: true,
  callsRoutines: true,
  made: [],
};

/** Of a text that the server reads in another way than it looks. */
export const MISREAD: TextLineage = {
  ...UNREADABLE,
  uses: [{ kind: 'unread', clause: 'a text in an encoding or string syntax that can not be judged' }],
};

/** What is too large to be followed may compare and move anything: masks with `inference` refuse it. */
export const UNFOLLOWED: TextLineage = {
  ...UNREADABLE,
  uses: [
    { kind: 'compared', clause: 'a text too large to follow', value: ANYTHING },
    { kind: 'moved', clause: 'a text too large to follow', value: ANYTHING, to: undefined },
  ],
};
