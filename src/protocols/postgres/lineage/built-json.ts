import { EMPTY, flagAt, inside, isNode, listAt, literalIn, namesIn, nodeAt, tagged, textAt } from '../facts/tree.js';
import type { TreeNode } from '../facts/tree.js';
import { functionName, isServersOwn } from './calls.js';
import type { JsonShape } from './json-shape.js';
import type { Reading } from './reading.js';
import { columnNamed, sourceNamed, type Level, type OutputColumn, type Source } from './scope.js';

/** The shape of an expression that builds a document; undefined for another, whose JSON is masked as one value. */
export function jsonShape(reading: Reading, value: unknown, level: Level): JsonShape | undefined {
  const { type, node } = tagged(value) ?? { type: '', node: EMPTY };
  switch (type) {
    case 'FuncCall':
      return builtShape(reading, node, level);
    case 'CoalesceExpr':
      return defaultedShape(reading, listAt(node, 'args'), level);
    case 'TypeCast':
      return castShape(reading, node, level);
    case 'A_Expr':
      return memberShape(reading, node, level);
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

/** `document::jsonb`, and the document as text, as PostgREST has it: `json_agg(t)::character varying`. */
function castShape(reading: Reading, cast: TreeNode, level: Level): JsonShape | undefined {
  const type = nodeAt(cast, 'typeName') ?? EMPTY;
  const name = namesIn(listAt(type, 'names')).at(-1) ?? '';
  const isWhole = listAt(type, 'arrayBounds').length + listAt(type, 'typmods').length === 0;
  if (!isWhole || reading.catalog.castRoutines(name).length > 0) return undefined;
  if (!JSON_TYPES.has(name) && !TEXT_TYPES.has(name)) return undefined;
  const shape = jsonShape(reading, cast['arg'], level);
  const document = shape?.kind === 'text' ? shape.document : shape;
  return document === undefined || JSON_TYPES.has(name) ? document : { kind: 'text', document };
}

/** `document->0`, `document->'key'`: PostgREST takes the one row of an INSERT so. */
function memberShape(reading: Reading, node: TreeNode, level: Level): JsonShape | undefined {
  const isArrow = textAt(node, 'kind') === 'AEXPR_OP' && namesIn(listAt(node, 'name')).join('.') === '->';
  if (!isArrow || reading.catalog.operatorRoutines('->').length > 0 || reading.names.made?.('->').length)
    return undefined;
  const shape = jsonShape(reading, node['lexpr'], level);
  const key = literalIn(node['rexpr'])?.value;
  const member =
    shape?.kind === 'list' && typeof key === 'number'
      ? shape.item
      : shape?.kind === 'object' && typeof key === 'string'
        ? shape.members.get(key)
        : undefined;
  return member?.kind === 'leaf' ? undefined : member;
}

const JSON_TYPES: ReadonlySet<string> = new Set(['json', 'jsonb']);
const TEXT_TYPES: ReadonlySet<string> = new Set(['text', 'varchar']);

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
  const row = wholeRowShape(reading, value, level);
  if (row !== undefined) return row;
  const document = jsonShape(reading, value, level);
  // A document's text is one string in another document.
  if (document !== undefined && document.kind !== 'text') return document;
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

/** What JSON makes of a whole row: `t`, or a sub-select that gives one, as Hasura's `row_to_json((SELECT e FROM (…) e))`. */
export function wholeRowShape(reading: Reading, value: unknown, level: Level): JsonShape | undefined {
  const sublink = inside(value, 'SubLink');
  if (sublink !== undefined) return reading.findings.rows.get(sublink);
  const names = namesOf(inside(value, 'ColumnRef') ?? EMPTY);
  const source = sourceNamed(names, level);
  return source === undefined ? columnNamed(names, level)?.wholeRow : rowShape(source);
}

function rowShape({ columns, open, ownNames }: Source): JsonShape | undefined {
  if (open !== undefined || ownNames !== true || columns.some(({ guessed }) => guessed === true)) return undefined;
  return objectShape(columns.map((column) => [column.name, fieldShape(column)]));
}

function fieldShape({ json, wholeRow, value }: OutputColumn): JsonShape {
  const document = json?.kind === 'text' ? undefined : json;
  return document ?? wholeRow ?? { kind: 'leaf', value };
}
