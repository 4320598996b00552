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
 * to another in useful time. Constants of the text are not all in it; of those left out of an IN list, an ARRAY or alternatives
 * it tells how many there are and where, see `leftOutBy`.
 *
 * @returns undefined where it is too large even so
 */
export function outlineOf(tree: TreeNode): Outline | undefined {
  const effort: Effort = { nodes: 0, places: 0, leftOut: new Map() };
  try {
    const copy = copied(tree, effort);
    return isNode(copy) ? { tree: copy, nodes: effort.nodes } : undefined;
  } catch (error) {
    // Too many nodes, or nested deeper than the stack.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Constants that one stands for, as those beside it were left out. */
export interface LeftOut {
  readonly count: number;
  /** Where they begin, in bytes of UTF-8; of very many not all. */
  readonly places: readonly number[];
}

const NONE: LeftOut = { count: 0, places: [] };

/** @param constant the inside of an A_Const */
export function leftOutBy(constant: TreeNode): LeftOut {
  return (constant[LEFT_OUT] as LeftOut | undefined) ?? NONE;
}

const LEFT_OUT = 'leftOut';

interface Effort {
  nodes: number;
  places: number;
  /** By the inside of an A_Const that is kept. */
  readonly leftOut: Map<object, { count: number; places: number[] }>;
}

function copied(value: unknown, effort: Effort): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ((effort.nodes += 1) > MAX_NODES) throw new RangeError('an outline too large');
  if (Array.isArray(value)) return value.map((item) => copied(item, effort));
  const copy: Record<string, unknown> = {};
  for (const [field, inner] of Object.entries(value))
    copy[field] = copied(shortened(value, field, inner, effort), effort);
  const leftOut = effort.leftOut.get(value);
  if (leftOut !== undefined) copy[LEFT_OUT] = leftOut;
  return copy;
}

/** A list in which the place of an item says nothing, without those that are like others. */
function shortened(node: object, field: string, value: unknown, effort: Effort): unknown {
  switch (field) {
    // Of rows it has to be known how many there are, not where their constants stand.
    case 'valuesLists':
      return fewer(value, effort, false);
    case 'elements':
      return fewer(value, effort);
    case 'args':
      return 'boolop' in node ? fewer(value, effort) : value;
    case 'rexpr': {
      const list = 'kind' in node && node.kind === 'AEXPR_IN' ? tagged(value) : undefined;
      if (list?.type !== 'List') return value;
      return { List: { ...list.node, items: fewer(list.node['items'], effort) } };
    }
    default:
      return value;
  }
}

function fewer(value: unknown, effort: Effort, places = true): unknown {
  if (!Array.isArray(value) || value.length <= MIN_ITEMS) return value;
  const seen = new Map<string, { count: number; kept: unknown }>();
  return value.filter((item) => {
    const shape = shapeOf(item);
    if (shape === undefined) return true;
    const alike = seen.get(shape) ?? { count: 0, kept: item as unknown };
    seen.set(shape, alike);
    alike.count += 1;
    if (alike.count <= KEPT_OF_A_SHAPE) return true;
    leaveOut(item, alike.kept, effort, places);
    return false;
  });
}

/** Of the same shape: constant by constant. */
function leaveOut(item: unknown, kept: unknown, effort: Effort, places: boolean): void {
  const own = constantsIn(kept);
  constantsIn(item).forEach((constant, index) => {
    const stands = own[index];
    if (stands === undefined) return;
    const all = effort.leftOut.get(stands) ?? { count: 0, places: [] };
    effort.leftOut.set(stands, all);
    const before = effort.leftOut.get(constant);
    all.count += 1 + (before?.count ?? 0);
    if (!places) return;
    const { location } = constant;
    for (const place of [...(typeof location === 'number' ? [location] : []), ...(before?.places ?? [])])
      if ((effort.places += 1) <= MAX_PLACES) all.places.push(place);
  });
}

/** The insides of all A_Const below, in the order in which they are written. */
function constantsIn(value: unknown): readonly TreeNode[] {
  if (typeof value !== 'object' || value === null) return [];
  const constant = isNode(value) ? inside(value, 'A_Const') : undefined;
  return constant === undefined ? Object.values(value).flatMap(constantsIn) : [constant];
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
