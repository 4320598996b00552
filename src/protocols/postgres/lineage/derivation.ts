import type { ColumnPlace } from '../catalog/types.js';

/**
 * What is behind a value: the columns whose content it tells something of.
 *
 * A place is kept as one number, so that sets of them are cheap: object ids have 32 bits, attribute
 * numbers stay below 2,048 (PostgreSQL allows 1,600 columns).
 */
export interface Derivation {
  readonly origins: ReadonlySet<number>;
  /** The value of a column as it stands, or none of any: nothing was made of it. */
  readonly plain: boolean;
  /** Something made of columns that is NULL only where one of them is; absent means nobody knows when it is. */
  readonly strict?: true;
  /** Names that could not be found: what is behind them is one of the relations that the statement reads. */
  readonly unresolved: readonly string[];
  /** Code that nobody can read is behind it: it could be any column at all. */
  readonly anything: boolean;
}

const ATTRIBUTES = 2_048;
const NO_ORIGINS: ReadonlySet<number> = new Set();

/** Of no column: constants, parameters, what the system tells of itself. */
export const NOTHING: Derivation = { origins: NO_ORIGINS, plain: true, unresolved: [], anything: false };
export const ANYTHING: Derivation = { origins: NO_ORIGINS, plain: false, unresolved: [], anything: true };

export function placeKey(relation: number, attribute: number): number {
  return relation * ATTRIBUTES + attribute;
}

export function placeOf(key: number): ColumnPlace {
  return { relation: Math.floor(key / ATTRIBUTES), attribute: key % ATTRIBUTES };
}

export function columnAt(relation: number, attribute: number): Derivation {
  return { ...NOTHING, origins: new Set([placeKey(relation, attribute)]) };
}

export function unresolved(name: string): Derivation {
  return { ...NOTHING, plain: false, unresolved: [name] };
}

/** One of these values as it stands: a set operation, COALESCE, a merged column. */
export function either(values: readonly Derivation[]): Derivation {
  if (values.length === 1) return values[0] as Derivation;
  return join(
    values,
    values.every((value) => value.plain),
    values.every(nullsAsColumns),
  );
}

/** Something made of these values. */
export function derived(values: readonly Derivation[]): Derivation {
  const all = join(values, false, false);
  return isNothing(all) ? NOTHING : all;
}

/** Something made of these values that is NULL where one of them is, and only there. */
export function strictlyDerived(values: readonly Derivation[]): Derivation {
  const all = join(values, false, values.every(nullsAsColumns));
  return isNothing(all) ? NOTHING : all;
}

/** Does its being NULL tell no more than that a column is? */
export function nullsAsColumns({ plain, strict }: Derivation): boolean {
  return plain || strict === true;
}

export function isNothing(value: Derivation): boolean {
  return value.origins.size === 0 && !value.anything && value.unresolved.length === 0;
}

function join(values: readonly Derivation[], plain: boolean, strict: boolean): Derivation {
  const telling = values.filter((value) => !isNothing(value));
  const [only] = telling;
  if (only === undefined) return NOTHING;
  const isStrict = strict && !plain;
  if (telling.length === 1 && only.plain === plain && (only.strict === true) === isStrict) return only;
  const origins = new Set<number>();
  for (const value of telling) for (const origin of value.origins) origins.add(origin);
  return {
    origins,
    plain,
    ...(isStrict ? { strict: true as const } : {}),
    unresolved: [...new Set(telling.flatMap((value) => value.unresolved))],
    anything: telling.some((value) => value.anything),
  };
}
