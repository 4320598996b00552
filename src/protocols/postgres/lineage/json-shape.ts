import { derived, either, isNothing, NOTHING, nullsAsColumns, type Derivation } from './derivation.js';

/**
 * What stands where in a JSON document that a query builds of columns, as ORMs have rows beside a row: so that a masked
 * column in it is masked in its place and the rest of the document is shown. A row, or an array of SQL's, has the shape of
 * the document that it becomes.
 */
export type JsonShape =
  /** A value of any type. */
  | { readonly kind: 'leaf'; readonly value: Derivation; readonly size: number }
  /** `json_build_object`, a row: no other members than these, and each may be missing. */
  | {
      readonly kind: 'object';
      readonly members: ReadonlyMap<string, JsonShape>;
      /** What members of names that nobody knows hold; absent where there are none. */
      readonly rest?: JsonShape;
      readonly size: number;
    }
  /** `json_build_array` */
  | { readonly kind: 'array'; readonly items: readonly JsonShape[]; readonly size: number }
  /** `json_agg`: any number of the same. */
  | { readonly kind: 'list'; readonly item: JsonShape; readonly size: number }
  /** How it looks tells of other values: it can be shown where none of these is masked. */
  | { readonly kind: 'telling'; readonly of: Derivation; readonly shape: JsonShape; readonly size: number };

type Kind<Name extends JsonShape['kind']> = Extract<JsonShape, { kind: Name }>;

/** Places in a document that are told apart; those of a larger one are not. A part may stand in many places. */
const MAX_SIZE = 2_000;

export function leaf(value: Derivation): JsonShape {
  return { kind: 'leaf', value, size: 1 };
}

export function arrayOf(items: readonly JsonShape[]): JsonShape {
  return bounded({ kind: 'array', items, size: sizeOf(items) });
}

export function listOf(item: JsonShape): JsonShape {
  return bounded({ kind: 'list', item, size: 1 + item.size });
}

/** @param rest members of which nobody knows the names: any of them may have the name of another */
export function objectOf(members: ReadonlyMap<string, JsonShape>, rest?: JsonShape): JsonShape {
  if (rest === undefined) return bounded({ kind: 'object', members, size: sizeOf([...members.values()]) });
  const all = new Map([...members].map(([name, member]) => [name, eitherShape(member, rest)] as const));
  return bounded({ kind: 'object', members: all, rest, size: sizeOf([...all.values(), rest]) });
}

export function telling(shape: JsonShape, of: Derivation): JsonShape {
  return isNothing(of) ? shape : bounded({ kind: 'telling', of, shape, size: 1 + shape.size });
}

function sizeOf(parts: readonly JsonShape[]): number {
  return parts.reduce((sum, { size }) => sum + size, 1);
}

/** What would be too large to go through is one value. */
function bounded(shape: JsonShape): JsonShape {
  return shape.size > MAX_SIZE ? leaf(valueIn(shape)) : shape;
}

/** All that is behind the values in it, and its looks. */
export function valuesIn(shape: JsonShape): readonly Derivation[] {
  switch (shape.kind) {
    case 'leaf':
      return isNothing(shape.value) ? [] : [shape.value];
    case 'telling':
      return [shape.of, ...valuesIn(shape.shape)];
    default:
      return partsOf(shape).flatMap(valuesIn);
  }
}

function partsOf(shape: Kind<'object'> | Kind<'array'> | Kind<'list'>): readonly JsonShape[] {
  if (shape.kind === 'array') return shape.items;
  if (shape.kind === 'list') return [shape.item];
  return [...shape.members.values(), ...(shape.rest === undefined ? [] : [shape.rest])];
}

/** What is behind it as one value. */
export function valueIn(shape: JsonShape): Derivation {
  return shape.kind === 'leaf' ? shape.value : derived(valuesIn(shape));
}

/** Is it a document of which something is known? */
export function isDocument(shape: JsonShape | undefined): shape is JsonShape {
  return shape !== undefined && bare(shape).kind !== 'leaf';
}

type Bare = Exclude<JsonShape, { kind: 'telling' }>;

/** Without what its looks tell. */
function bare(shape: JsonShape): Bare {
  return shape.kind === 'telling' ? bare(shape.shape) : shape;
}

function toldBy(shape: JsonShape): readonly Derivation[] {
  return shape.kind === 'telling' ? [shape.of, ...toldBy(shape.shape)] : [];
}

/** Something made of documents: what these tell by their looks, it tells too. */
function madeOf(shapes: readonly JsonShape[], make: (shapes: readonly Bare[]) => JsonShape): JsonShape {
  return telling(make(shapes.map(bare)), derived(shapes.flatMap(toldBy)));
}

/** One of the two as it stands. */
export function eitherShape(one: JsonShape, other: JsonShape): JsonShape {
  if (one === other) return one;
  return madeOf([one, other], ([a, b]) => eitherBare(a as Bare, b as Bare));
}

export function anyShape(shapes: readonly JsonShape[]): JsonShape {
  return shapes.reduce((all, shape) => (all === NONE ? shape : eitherShape(all, shape)), NONE);
}

const NONE = leaf(NOTHING);

function eitherBare(one: Bare, other: Bare): JsonShape {
  // What is of no column may be taken for whatever it is not: of another form it is not shown.
  if (holdsNothing(one)) return other;
  if (holdsNothing(other)) return one;
  if (one.kind === 'leaf' && other.kind === 'leaf') return leaf(either([one.value, other.value]));
  if (one.kind === 'object' && other.kind === 'object') return merged(one, other);
  if (one.kind === 'array' && other.kind === 'array' && one.items.length === other.items.length)
    return arrayOf(one.items.map((item, index) => eitherShape(item, other.items[index] as JsonShape)));
  const [ones, others] = [itemOf(one), itemOf(other)];
  if (ones !== undefined && others !== undefined) return listOf(eitherShape(ones, others));
  return leaf(derived([valueIn(one), valueIn(other)]));
}

/** A constant or parameter, a document without places. */
function holdsNothing(shape: Bare): boolean {
  if (shape.kind === 'leaf') return isNothing(shape.value);
  return shape.kind === 'list' ? false : partsOf(shape).length === 0;
}

type Members = Pick<Kind<'object'>, 'members' | 'rest'>;

/** The members of both: where one has what the other may have too, it is either's. */
function merged(one: Members, other: Members): JsonShape {
  const members = new Map(one.members);
  for (const [name, member] of other.members) {
    const known = members.get(name);
    members.set(name, known === undefined ? member : eitherShape(known, member));
  }
  const rests = [one.rest, other.rest].filter((rest) => rest !== undefined);
  return objectOf(members, rests.length === 0 ? undefined : anyShape(rests));
}

/** What any item of an array is. */
function itemOf(shape: Bare): JsonShape | undefined {
  if (shape.kind === 'list') return shape.item;
  return shape.kind === 'array' ? anyShape(shape.items) : undefined;
}

/** Any item of an array; undefined where it may be none. */
export function itemShape(shape: JsonShape): JsonShape | undefined {
  const item = itemOf(bare(shape));
  return item === undefined ? undefined : telling(item, derived(toldBy(shape)));
}

/** `one || other` of jsonb. A member that both have is taken for either's, since it may be missing in the second. */
export function joinedShape(one: JsonShape, other: JsonShape): JsonShape | undefined {
  if (!isDocument(one) && !isDocument(other)) return undefined;
  // It is NULL where one of them is.
  const nulls = [one, other].map((shape) => nullOf(bare(shape)));
  return telling(
    madeOf([one, other], ([a, b]) => joinedBare(a as Bare, b as Bare)),
    derived(nulls),
  );
}

function joinedBare(one: Bare, other: Bare): JsonShape {
  if (one.kind === 'object' && other.kind === 'object') return merged(one, other);
  // How many items come before one nobody knows: a constant may stand for either array.
  const [ones, others] = [itemOf(one), itemOf(other)];
  if (ones !== undefined || others !== undefined) return listOf(eitherShape(ones ?? one, others ?? other));
  const [known, unknown] = one.kind === 'object' ? [one, other] : [other, one];
  return known.kind === 'object' ? merged(known, { members: new Map(), rest: unknown }) : leaf(valueIn(unknown));
}

/** What its being NULL tells of, beside whether a column is. Documents are not, but where something tells. */
function nullOf(shape: Bare): Derivation {
  return shape.kind === 'leaf' && !nullsAsColumns(shape.value) ? shape.value : NOTHING;
}

/** The same without members or items that are NULL. */
export function withoutNulls(shape: JsonShape): JsonShape {
  return telling(shape, derived(valuesIn(shape).filter((value) => !nullsAsColumns(value))));
}

/** The same where members and items may be missing. */
export function loosenedShape(shape: JsonShape): JsonShape {
  switch (shape.kind) {
    case 'leaf':
      return shape;
    case 'telling':
      return telling(loosenedShape(shape.shape), shape.of);
    case 'object': {
      const members = new Map([...shape.members].map(([name, member]) => [name, loosenedShape(member)] as const));
      return objectOf(members, shape.rest === undefined ? undefined : loosenedShape(shape.rest));
    }
    default:
      return listOf(loosenedShape(itemOf(shape) ?? NONE));
  }
}

/** A member's name, or an item's number. */
export type Step = string | number;

/** A text that `#>` takes for the number of an item where it meets an array. */
const NUMBER = /^\s*[+-]?\d+\s*$/;

/**
 * What stands at a path. What is not an array may have become one: `||` makes one of an object and anything else, and
 * then a number may lead anywhere.
 */
export function shapeAt(shape: JsonShape, path: readonly Step[]): JsonShape {
  const [step, ...more] = path;
  if (step === undefined) return shape;
  return telling(shapeAt(partAt(bare(shape), step), more), derived(toldBy(shape)));
}

function partAt(shape: Bare, step: Step): JsonShape {
  const isNumber = typeof step === 'number' || NUMBER.test(step);
  const anyOfIt = leaf(derived([valueIn(shape)]));
  if (shape.kind === 'leaf') return anyOfIt;
  if (shape.kind === 'object') return isNumber ? anyOfIt : (shape.members.get(step) ?? shape.rest ?? NONE);
  if (!isNumber) return anyOfIt;
  const index = Number(step);
  return shape.kind === 'array' && index >= 0 ? (shape.items[index] ?? NONE) : (itemOf(shape) ?? NONE);
}

/** The document with another value at a path, put there or beside what is there. */
export function withShapeAt(shape: JsonShape, path: readonly Step[], value: JsonShape): JsonShape {
  const [step, ...more] = path;
  if (step === undefined) return eitherShape(shape, value);
  return madeOf([shape], ([inner]) => replacedIn(inner as Bare, step, more, value));
}

function replacedIn(inner: Bare, step: Step, more: readonly Step[], value: JsonShape): JsonShape {
  if (inner.kind === 'leaf') return leaf(derived([inner.value, valueIn(value)]));
  const replaced = (part: JsonShape): JsonShape => withShapeAt(part, more, value);
  if (inner.kind !== 'object') return listOf(replaced(itemOf(inner) ?? NONE));
  const members = new Map(inner.members);
  members.set(String(step), replaced(members.get(String(step)) ?? inner.rest ?? NONE));
  return objectOf(members, inner.rest);
}
