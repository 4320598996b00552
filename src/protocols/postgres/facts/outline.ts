import { inside, isNode, tagged, type TreeNode } from './tree.js';

/** Texts longer than that are outlined in another thread, and are not to be parsed anywhere else. */
export const OUTLINED_CHARS = 64 << 10;
/** Places of constants that an outline tells besides those in its tree. */
const MAX_PLACES = 50_000;
/** Nodes that an outline may have; what is larger is not followed. A statement of 10 KB has some 5,000. */
const MAX_NODES = 60_000;
/** Lists of that many items are kept as they stand. */
const MIN_ITEMS = 16;
/** So many of each shape are kept: what tells one from many still does. */
const KEPT_OF_A_SHAPE = 2;

export interface Outline {
  readonly tree: TreeNode;
  /** Objects and lists in it. */
  readonly nodes: number;
}

/**
 * The tree of a large text without what repeats: of rows, alternatives and elements that differ in nothing but constants,
 * two are kept. Where columns go it tells the same, whereas the tree of an INSERT of 8 MiB can't be handed from one thread
 * to another in useful time. Constants of the text are not all in it; of those left out of an IN list or an ARRAY it tells the
 * places, see `placesLeftOut`.
 *
 * @returns undefined where it is too large even so
 */
export function outlineOf(tree: TreeNode): Outline | undefined {
  const effort = { nodes: 0, places: 0 };
  try {
    const copy = copied(tree, effort);
    return isNode(copy) ? { tree: copy, nodes: effort.nodes } : undefined;
  } catch (error) {
    // Too many nodes, or nested deeper than the stack.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Where the constants begin that were left out of a List or an A_ArrayExpr, in bytes of UTF-8. */
export function placesLeftOut(node: TreeNode): readonly number[] {
  const places = node[LEFT_OUT];
  return Array.isArray(places) ? (places as readonly number[]) : [];
}

const LEFT_OUT = 'leftOut';

interface Effort {
  nodes: number;
  places: number;
}

function copied(value: unknown, effort: Effort): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ((effort.nodes += 1) > MAX_NODES) throw new RangeError('an outline too large');
  if (Array.isArray(value)) return value.map((item) => copied(item, effort));
  const copy: Record<string, unknown> = {};
  for (const [field, inner] of Object.entries(value)) {
    const kept = shortened(value, field, inner, effort);
    copy[field] = copied(kept, effort);
    if (field === 'elements' && kept !== inner) copy[LEFT_OUT] = placesIn(inner, kept, effort);
  }
  return copy;
}

/** Places of the constants in a list that are not in what was kept of it. */
function placesIn(all: unknown, kept: unknown, effort: Effort): readonly number[] {
  if (!Array.isArray(all) || !Array.isArray(kept)) return [];
  const known = new Set<unknown>(kept);
  const places = all.flatMap((item) => {
    const location = known.has(item) ? undefined : inside(item, 'A_Const')?.['location'];
    return typeof location === 'number' ? [location] : [];
  });
  effort.places += places.length;
  return effort.places > MAX_PLACES ? [] : places;
}

/** A list in which the place of an item says nothing, without those that are like others. */
function shortened(node: object, field: string, value: unknown, effort: Effort): unknown {
  switch (field) {
    case 'valuesLists':
    case 'elements':
      return fewer(value);
    case 'args':
      return 'boolop' in node ? fewer(value) : value;
    case 'rexpr': {
      const list = 'kind' in node && node.kind === 'AEXPR_IN' ? tagged(value) : undefined;
      if (list?.type !== 'List') return value;
      const items = fewer(list.node['items']);
      return { List: { ...list.node, items, [LEFT_OUT]: placesIn(list.node['items'], items, effort) } };
    }
    default:
      return value;
  }
}

function fewer(value: unknown): unknown {
  if (!Array.isArray(value) || value.length <= MIN_ITEMS) return value;
  const seen = new Map<string, number>();
  return value.filter((item) => {
    const shape = shapeOf(item);
    if (shape === undefined) return true;
    const count = (seen.get(shape) ?? 0) + 1;
    seen.set(shape, count);
    return count <= KEPT_OF_A_SHAPE;
  });
}

/** Equal for what differs in constants and places alone; undefined for what is kept whatever it is like. */
function shapeOf(value: unknown): string | undefined {
  const found = tagged(value);
  if (found === undefined) return undefined;
  const { type, node } = found;
  switch (type) {
    case 'A_Const':
    case 'SetToDefault':
      return type;
    case 'ColumnRef':
    case 'FuncCall':
      // What it is called with may be code: the constants of a call count.
      return withoutPlaces(value);
    case 'TypeCast':
      return joined(`cast ${withoutPlaces(node['typeName'])}`, [node['arg']]);
    case 'A_Expr': {
      const { rexpr } = node;
      const operator = `${String(node['kind'])} ${withoutPlaces(node['name'])}`;
      return joined(operator, [...(node['lexpr'] === undefined ? [] : [node['lexpr']]), rexpr]);
    }
    case 'BoolExpr':
      return joined(String(node['boolop']), node['args']);
    case 'List':
      return joined('list', node['items']);
    case 'RowExpr':
      return joined('row', node['args']);
    default:
      return undefined;
  }
}

function joined(head: string, items: unknown): string | undefined {
  if (!Array.isArray(items)) return undefined;
  const shapes = items.map(shapeOf);
  return shapes.includes(undefined) ? undefined : `(${head} ${shapes.join(' ')})`;
}

const PLACES: ReadonlySet<string> = new Set([
  'location',
  'rexpr_list_start',
  'rexpr_list_end',
  'list_start',
  'list_end',
]);

function withoutPlaces(value: unknown): string {
  return JSON.stringify(value, (field, inner: unknown) => (PLACES.has(field) ? undefined : inner)) ?? '';
}
