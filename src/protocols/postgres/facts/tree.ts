/**
 * Reading the syntax tree as libpg_query prints it: plain JSON, nothing of it trusted to be there.
 *
 * A field of an abstract type holds `{ "NodeName": { … } }` (tagged), a field of a concrete type the
 * inner object alone. Fields at their default (0, false, "", null) are left out.
 */
export interface TreeNode {
  readonly [field: string]: unknown;
}

/** A node with its name, e.g. `DeleteStmt`. */
export interface Tagged {
  readonly type: string;
  readonly node: TreeNode;
}

export const EMPTY: TreeNode = {};

export function isNode(value: unknown): value is TreeNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The tagged node in `value`; undefined where it is none. */
export function tagged(value: unknown): Tagged | undefined {
  if (!isNode(value)) return undefined;
  let type = '';
  for (const key in value) {
    if (type !== '') return undefined;
    type = key;
  }
  const first = type.charCodeAt(0);
  const node = value[type];
  return first >= 65 && first <= 90 && isNode(node) ? { type, node } : undefined;
}

/** The inside of a tagged node of that type; undefined where the field holds another. */
export function inside(value: unknown, type: string): TreeNode | undefined {
  if (!isNode(value)) return undefined;
  const node = value[type];
  return isNode(node) ? node : undefined;
}

export function nodeAt(node: TreeNode, field: string): TreeNode | undefined {
  const value = node[field];
  return isNode(value) ? value : undefined;
}

export function listAt(node: TreeNode, field: string): readonly unknown[] {
  const value = node[field];
  return Array.isArray(value) ? value : [];
}

/** Empty where absent. */
export function textAt(node: TreeNode, field: string): string {
  const value = node[field];
  return typeof value === 'string' ? value : '';
}

export function flagAt(node: TreeNode, field: string): boolean {
  return node[field] === true;
}

/** Schema and name of a RangeVar. */
export function objectName(relation: TreeNode): { readonly schema: string; readonly name: string } {
  return { schema: textAt(relation, 'schemaname'), name: textAt(relation, 'relname') };
}

/** The strings of a list of `String` nodes, e.g. a qualified name; others are skipped. */
export function namesIn(list: readonly unknown[]): readonly string[] {
  const names: string[] = [];
  for (const item of list) {
    const string = inside(item, 'String');
    if (string !== undefined) names.push(textAt(string, 'sval'));
  }
  return names;
}

/** The items of a tagged `List`, or the value alone. */
export function itemsOf(value: unknown): readonly unknown[] {
  const list = inside(value, 'List');
  if (list !== undefined) return listAt(list, 'items');
  return value === undefined ? [] : [value];
}

/** A literal of the text: number, string, truth value or NULL. */
export type Literal = { readonly value: string | number | boolean | null };

/** The literal in `value`, looking through casts; undefined where it is none. */
export function literalIn(value: unknown): Literal | undefined {
  const cast = inside(value, 'TypeCast');
  if (cast !== undefined) return literalIn(cast['arg']);
  const constant = inside(value, 'A_Const');
  if (constant === undefined) return undefined;
  if (flagAt(constant, 'isnull')) return { value: null };
  const integer = nodeAt(constant, 'ival');
  if (integer !== undefined) return { value: typeof integer['ival'] === 'number' ? integer['ival'] : 0 };
  const float = nodeAt(constant, 'fval');
  if (float !== undefined) return { value: Number(textAt(float, 'fval').replaceAll('_', '')) };
  const truth = nodeAt(constant, 'boolval');
  if (truth !== undefined) return { value: flagAt(truth, 'boolval') };
  const string = nodeAt(constant, 'sval');
  return string === undefined ? undefined : { value: textAt(string, 'sval') };
}
