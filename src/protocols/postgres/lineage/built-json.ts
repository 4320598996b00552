import { EMPTY, flagAt, inside, isNode, listAt, literalIn, namesIn, nodeAt, tagged } from '../facts/tree.js';
import type { TreeNode } from '../facts/tree.js';
import { functionName, isServersOwn } from './calls.js';
import type { JsonShape } from './json-shape.js';
import type { Reading } from './reading.js';
import { columnNamed, type Level, type Source } from './scope.js';

/** The shape of an expression that builds a document; undefined for another, whose JSON is masked as one value. */
export function jsonShape(reading: Reading, value: unknown, level: Level): JsonShape | undefined {
  const { type, node } = tagged(value) ?? { type: '', node: EMPTY };
  switch (type) {
    case 'FuncCall':
      return builtShape(reading, node, level);
    case 'CoalesceExpr':
      return defaultedShape(reading, listAt(node, 'args'), level);
    case 'TypeCast':
      return isJsonCast(reading, node) ? jsonShape(reading, node['arg'], level) : undefined;
    case 'SubLink':
      return reading.findings.documents.get(node);
    case 'ColumnRef': {
      const names = namesOf(node);
      return names.length === 0 ? undefined : columnNamed(names, level)?.json;
    }
    default:
      return undefined;
  }
}

function isJsonCast(reading: Reading, cast: TreeNode): boolean {
  const type = nodeAt(cast, 'typeName') ?? EMPTY;
  const name = namesIn(listAt(type, 'names')).at(-1) ?? '';
  const isJson = (name === 'json' || name === 'jsonb') && listAt(type, 'arrayBounds').length === 0;
  return isJson && reading.catalog.castRoutines(name).length === 0;
}

/** `coalesce(document, '[]')`. */
function defaultedShape(reading: Reading, args: readonly unknown[], level: Level): JsonShape | undefined {
  const documents = args.filter((argument) => !isConstant(argument));
  return documents.length === 1 ? jsonShape(reading, documents[0], level) : undefined;
}

function isConstant(value: unknown): boolean {
  const cast = inside(value, 'TypeCast');
  return inside(value, 'A_Const') !== undefined || (cast !== undefined && isConstant(cast['arg']));
}

function builtShape(reading: Reading, call: TreeNode, level: Level): JsonShape | undefined {
  const { name } = functionName(call);
  if (!isServersOwn(reading, call) || flagAt(call, 'func_variadic') || flagAt(call, 'agg_within_group'))
    return undefined;
  // DISTINCT sorts what it gathers: the order of what is shown, and its number, would tell of what is not.
  if (flagAt(call, 'agg_distinct')) return undefined;
  const args = listAt(call, 'args');
  switch (name) {
    case 'json_build_object':
    case 'jsonb_build_object':
      return objectOf(args, (value) => partShape(reading, value, level));
    case 'json_build_array':
    case 'jsonb_build_array':
      return whole(
        args.map((item) => partShape(reading, item, level)),
        (items) => ({ kind: 'array', items }),
      );
    case 'json_agg':
    case 'jsonb_agg': {
      const item = args.length === 1 ? partShape(reading, args[0], level) : undefined;
      return item === undefined ? undefined : { kind: 'list', item };
    }
    case 'to_json':
    case 'to_jsonb':
    case 'row_to_json': {
      const shape = args.length === 1 ? partShape(reading, args[0], level) : undefined;
      return shape?.kind === 'leaf' ? undefined : shape;
    }
    default:
      return undefined;
  }
}

function objectOf(args: readonly unknown[], part: (value: unknown) => JsonShape | undefined): JsonShape | undefined {
  const members: [string, JsonShape][] = [];
  for (let at = 0; at < args.length; at += 2) {
    const cast = inside(args[at], 'TypeCast');
    const key = literalIn(cast === undefined ? args[at] : cast['arg'])?.value;
    const shape = part(args[at + 1]);
    if (typeof key !== 'string' || shape === undefined) return undefined;
    members.push([key, shape]);
  }
  return objectShape(members);
}

/** Of members of one name nobody could tell which is which. */
function objectShape(members: readonly (readonly [string, JsonShape])[]): JsonShape | undefined {
  const byName = new Map(members);
  return byName.size === members.length ? { kind: 'object', members: byName } : undefined;
}

function whole(
  parts: readonly (JsonShape | undefined)[],
  make: (parts: readonly JsonShape[]) => JsonShape,
): JsonShape | undefined {
  const known = parts.filter((part) => part !== undefined);
  return known.length === parts.length ? make(known) : undefined;
}

/** What an argument becomes in the document; undefined where nobody can tell. */
function partShape(reading: Reading, value: unknown, level: Level): JsonShape | undefined {
  const column = inside(value, 'ColumnRef');
  const row = column === undefined ? undefined : rowNamed(namesOf(column), level);
  if (row !== undefined) return rowShape(row);
  const document = jsonShape(reading, value, level);
  if (document !== undefined) return document;
  // What a sub-select does is noted where it is read, and once.
  return hasSubselect(value) ? undefined : { kind: 'leaf', value: reading.value(value, level) };
}

function hasSubselect(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasSubselect);
  return isNode(value) && (inside(value, 'SubLink') !== undefined || Object.values(value).some(hasSubselect));
}

/** Its names; none where a star is among them. */
function namesOf(column: TreeNode): readonly string[] {
  const fields = listAt(column, 'fields');
  const names = namesIn(fields);
  return names.length === fields.length ? names : [];
}

/** What a bare name of FROM stands for, where no column has that name. */
function rowNamed([name, ...more]: readonly string[], level: Level): Source | undefined {
  if (name === undefined || more.length > 0) return undefined;
  for (let at: Level | undefined = level; at !== undefined; at = at.outer) {
    if (at.open !== undefined || at.columns.some((column) => column.name === name)) return undefined;
    const [source, ...others] = at.sources.filter((one) => one.name === name);
    if (source !== undefined) return others.length === 0 ? source : undefined;
  }
  return undefined;
}

function rowShape({ columns, open, ownNames }: Source): JsonShape | undefined {
  if (open !== undefined || ownNames !== true || columns.some(({ guessed }) => guessed === true)) return undefined;
  return objectShape(columns.map(({ name, json, value }) => [name, json ?? { kind: 'leaf', value }]));
}
