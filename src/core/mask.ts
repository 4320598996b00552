import type { JsonPathPattern } from './json-path.js';

/** The shape of a mask: policy makes the plan, masking carries it out, protocols say where. */

/** From strongest to weakest; of several that meet a value the strongest wins. */
export type Strategy = 'null' | 'redact' | 'replace' | 'hash' | 'partial';

/** One mask that applies to this caller on this connection, strongest strategy first where several meet. */
export interface MaskRule {
  /** `policy/mask`, for the record. */
  readonly name: string;
  readonly entities: readonly string[];
  readonly columns: readonly ColumnPattern[];
  /** Places in JSON bodies, for connections over HTTP; absent means none. */
  readonly paths?: readonly JsonPathPattern[];
  readonly strategy: Strategy;
  /** Text for `replace`. */
  readonly with: string;
  readonly on: { readonly requests: boolean; readonly answers: boolean };
  /** Under `hash`: can the agent turn the pseudonym back? Absent means no. */
  readonly reversible?: boolean;
  /** Observing policies mask the record and leave the answer alone. */
  readonly observed: boolean;
  /** May a masked column be compared, sorted or grouped by? From the policy's `spec.inference`; absent means block. */
  readonly inference?: 'allow' | 'block';
  /** May code that nobody can read run where it may reach the columns? From the policy's `spec.opaque`; absent means block. */
  readonly opaque?: 'allow' | 'block';
  /** May what it shows be stored in the place of a value? From the policy's `spec.writeBack`; absent means block. */
  readonly writeBack?: 'allow' | 'block';
  /** Of something made of a column: NULL is masked like any other value, since when it is NULL may tell. */
  readonly hidesNulls?: true;
  /** Of a JSON document that was built of columns: what masks each place in it. The rule stands for the whole elsewhere. */
  readonly document?: JsonMask;
}

/** A JSON document's places, each with what masks it. */
export type JsonMask =
  /** `typeOid`: of the column whose value it is as it stands; absent where it is none, or of another type. */
  | { readonly kind: 'leaf'; readonly rule: MaskRule | undefined; readonly typeOid?: number }
  | {
      readonly kind: 'object';
      readonly members: ReadonlyMap<string, JsonMask>;
      /** Members of any other name; absent where there are none. */
      readonly rest?: JsonMask;
    }
  | { readonly kind: 'array'; readonly items: readonly JsonMask[] }
  | { readonly kind: 'list'; readonly item: JsonMask };

/** `[schema.]table.column`; `*` stands for one whole part. Parts are lower-case unless they were quoted. */
export interface ColumnPattern {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
}

/** Everything that may be masked for one session: computed once, when it starts or policy changes. */
export interface MaskPlan {
  readonly rules: readonly MaskRule[];
  /** Does any rule name columns? Then the catalogue is needed. */
  readonly needsColumns: boolean;
}

/** Values masked so far, by entity name or, for columns and paths, by `policy/mask`. */
export type MaskCounts = Map<string, number>;

/** Keyed, so that a pseudonym can't be turned back by guessing inputs: HMAC-SHA-256 under the agent's key. */
export type KeyedHash = (input: Uint8Array) => Uint8Array;
