import type { Identity } from '../core/identity.js';

/** The table, view or other object a statement touches. `schema` is empty where none was written. */
export interface ObjectName {
  readonly schema: string;
  readonly name: string;
}

/** A function that a text calls, by its name as the server folds it; `schema` is empty where none was written. */
export interface SqlCall {
  readonly schema: string;
  readonly name: string;
  /** Undefined where it is not known. */
  readonly count: number | undefined;
}

/** `check`: the rows stay, but checks and defaults of the table run. `detach`: those of a partition leave. */
export type RowEvent =
  'insert' | 'update' | 'delete' | 'truncate' | 'truncate-cascade' | 'refresh' | 'check' | 'detach';

/** What happens to the rows of a relation that a text writes. */
export interface SqlTarget {
  readonly name: ObjectName;
  readonly events: readonly RowEvent[];
  /** Columns that an UPDATE sets; undefined where it may be any. */
  readonly sets?: readonly string[];
}

/**
 * A relation, routine or type under another name. A schema without a name is all that is in it; an empty schema of
 * `to` is that of `from`.
 */
export interface SqlRename {
  readonly from: ObjectName;
  readonly to: ObjectName;
}

/** An UPDATE, DELETE or MERGE with names in sub-selects that may be columns of these or of what is written. */
export interface OpenWrite {
  readonly kind: 'update' | 'delete' | 'merge';
  readonly columns: readonly {
    readonly name: string;
    /** What the sub-select reads: the column is theirs where one of them has it. */
    readonly relations: readonly ObjectName[];
  }[];
  /** It restricts something where just these columns, a bit each, belong to no relation of their sub-select. */
  readonly restrictedBy: readonly number[];
}

/** What a text names that only a catalogue can follow. */
export interface SqlUses {
  readonly calls: readonly SqlCall[];
  /** Names of operators. */
  readonly operators: readonly string[];
  /** Names of types that values are cast to. */
  readonly types: readonly string[];
  /** Names behind a dot: a column, or a function of the row before it. */
  readonly fields: readonly string[];
  /** What happens to the rows of each relation written. */
  readonly targets: readonly SqlTarget[];
  /** Relations that a SELECT reads whole: neither it nor a query around it has a LIMIT or a WHERE that restricts. */
  readonly scans: readonly ObjectName[];
  /** Code behind it changes settings that its text does not show. */
  readonly hiddenSettings: boolean;
  /** Writes whose WHERE restricts something or not by whose columns some names are. */
  readonly openWrites: readonly OpenWrite[];
  /** Kinds of `unqualified` that are so without those. */
  readonly settledWrites: readonly string[];
  /** A body in it, or code behind it, opens or closes cursors. */
  readonly hiddenCursors: boolean;
  /** What is given another name or schema: until that shows in the catalogue, the new stands for the old. */
  readonly renames: readonly SqlRename[];
  /** The relations and routines that it reaches, as the catalogue has them; absent where none was read. */
  readonly reached?: readonly { readonly oid: number }[];
}

/** A bound value: whole numbers are `bigint`, as CEL's int. */
export type ParamValue = string | number | bigint | boolean | null;

/** Facts of one SQL message; see the contract's list. `kind` is the worst of `effects`. */
export interface SqlFacts {
  readonly text: string;
  readonly kind: string;
  readonly effects: readonly string[];
  readonly reads: readonly ObjectName[];
  readonly writes: readonly ObjectName[];
  /** Names called, lower-case, schema-qualified only where written so. */
  readonly functions: readonly string[];
  /** Of `update`, `delete`, `merge`: those whose own WHERE is absent or restricts nothing. */
  readonly unqualified: readonly string[];
  readonly unqualifiedWrite: boolean;
  /** Code that can't be read: dynamic text, unread bodies, text that does not parse. */
  readonly opaque: boolean;
  readonly opaqueReason: string;
  /** A SELECT in it reads a big table whole (see `SqlUses.scans`); false where no catalogue is known. */
  readonly unbounded?: boolean | undefined;
  /** Non-empty statements in the message. */
  readonly statements: number;
  /** How many things they do one after another, without what drivers put around one; absent where it is that number. */
  readonly stacked?: number | undefined;
  /** Bound values; made where a condition reads them. Throws where they can't be read: such a condition fails. */
  readonly params: readonly ParamValue[] | (() => readonly ParamValue[]);
  /** Not visible to conditions: by it a catalogue completes the facts. */
  readonly uses?: SqlUses | undefined;
  /** Set where the grammar refused the text; not visible to conditions. `position` counts characters from 1. */
  readonly syntaxError?: { readonly message: string; readonly position: number } | undefined;
}

/** What conditions see. A protocol fills the groups it has; a rule naming another is not tried. */
export interface Facts {
  readonly sql?: SqlFacts;
  readonly http?: Readonly<Record<string, unknown>>;
  readonly llm?: Readonly<Record<string, unknown>>;
  readonly mcp?: Readonly<Record<string, unknown>>;
  readonly ssh?: Readonly<Record<string, unknown>>;
  readonly k8s?: Readonly<Record<string, unknown>>;
}

/** Who asks, from where, through what: the same for every statement of a session. */
export interface Context {
  readonly user: Identity;
  readonly connection: {
    readonly name: string;
    readonly type: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly session: {
    readonly id: string;
    readonly correlationId: string;
    readonly startedAt: string;
    /** The address that the caller came from; absent where it is not known, and then no range holds it. */
    readonly clientAddress?: string;
  };
}

export type Action = 'block' | 'approve' | 'warn' | 'allow';

/** A rule that matched. `observed` rules come from policies in observe mode and never decide. */
export interface RuleMatch {
  readonly policy: string;
  readonly rule: string;
  readonly action: Action;
  readonly message: string;
  /** What one may do instead, where something is known. */
  readonly hint?: string;
  /** Name of the approval flow, for `approve`. */
  readonly flow?: string;
  readonly observed: boolean;
}

/** What policy says of one statement or request. */
export interface Verdict {
  readonly action: Action;
  /** The deciding rule as `policy/rule`; empty where nothing matched. */
  readonly rule: string;
  readonly message: string;
  /** Of the deciding rule. */
  readonly hint?: string;
  /** Flows that all must be met, for `approve`. */
  readonly flows: readonly string[];
  /** Every match, the deciding one first. */
  readonly matches: readonly RuleMatch[];
  readonly policyHash: string;
}

/** Of UTC: a limit of a day begins anew at midnight, one of a month on the first. */
export type LimitSpan = 'minute' | 'day' | 'month';

/** Dollars for `spend`. */
export interface LimitAmount {
  readonly kind: 'requests' | 'tokens' | 'spend';
  readonly span: LimitSpan;
  readonly most: number;
}
