import { EMPTY, inside, listAt, namesIn, tagged } from '../facts/tree.js';
import type { TreeNode } from '../facts/tree.js';
import { derived, type Derivation } from './derivation.js';
import { callShape } from './document-calls.js';
import { constructorShape } from './document-constructors.js';
import { operatorShape } from './document-operators.js';
import { membersShape, namedRow, partShape } from './document-parts.js';
import { constantShape, isJsonType } from './document-types.js';
import { anyShape, isDocument, listOf, telling, type JsonShape } from './json-shape.js';
import type { Reading } from './reading.js';
import { columnNamed, type Level } from './scope.js';

/** The shape of an expression that builds a document; undefined for another, whose JSON is masked as one value. */
export function jsonShape(reading: Reading, value: unknown, level: Level): JsonShape | undefined {
  const { type, node } = tagged(value) ?? { type: '', node: EMPTY };
  switch (type) {
    case 'FuncCall':
      return callShape(reading, node, level);
    case 'CoalesceExpr':
      return oneOf(reading, listAt(node, 'args'), level);
    case 'CaseExpr':
      return caseShape(reading, node, level);
    case 'TypeCast':
      return castShape(reading, node, level);
    case 'SubLink':
      // What it gives is noted where it is read.
      reading.value(value, level);
      return reading.findings.documents.get(node)?.json;
    case 'RowExpr':
      return writtenRow(reading, listAt(node, 'args'), level);
    case 'A_ArrayExpr':
      return elementsShape(reading, listAt(node, 'elements'), level);
    case 'A_Expr':
      return operatorShape(reading, node, level);
    case 'ColumnRef':
      return columnShape(node, level);
    default:
      return constructorShape(reading, type, node, level);
  }
}

/** Does it take work to tell? */
export function isMade(value: unknown): boolean {
  const type = tagged(value)?.type;
  return type !== undefined && type !== 'ColumnRef' && type !== 'A_Const' && type !== 'ParamRef';
}

function columnShape(node: TreeNode, level: Level): JsonShape | undefined {
  const fields = listAt(node, 'fields');
  const names = namesIn(fields);
  const row = namedRow(node, level);
  if (row !== undefined || names.length < fields.length || names.length === 0) return row;
  return columnNamed(names, level)?.json;
}

/** A constant that is written as JSON is that; a cast to text and back would write it anew. */
function castShape(reading: Reading, cast: TreeNode, level: Level): JsonShape | undefined {
  if (!isJsonType(reading, cast, 'json') && !isJsonType(reading, cast, 'jsonb')) return undefined;
  return constantShape(cast['arg']) ?? reading.shape(cast['arg'], level);
}

/** Any of these as it stands. @returns undefined where none is a document */
function oneOf(reading: Reading, values: readonly unknown[], level: Level): JsonShape | undefined {
  const shapes = values.map((value) => partShape(reading, value, level));
  if (!shapes.some(isDocument)) return undefined;
  return anyShape(shapes.map((shape, index) => (isDocument(shape) ? shape : (constantShape(values[index]) ?? shape))));
}

/** Which of its documents it is tells of the conditions. */
function caseShape(reading: Reading, node: TreeNode, level: Level): JsonShape | undefined {
  const branches = listAt(node, 'args').map((item) => inside(item, 'CaseWhen') ?? EMPTY);
  const shape = oneOf(reading, [...branches.map(({ result }) => result), node['defresult']], level);
  if (shape === undefined) return undefined;
  return telling(shape, conditionsOf(reading, [node['arg'], ...branches.map(({ expr }) => expr)], level));
}

function conditionsOf(reading: Reading, conditions: readonly unknown[], level: Level): Derivation {
  return derived(conditions.map((condition) => reading.value(condition, level)));
}

/** `ROW(a, b)` as JSON has members f1, f2. */
function writtenRow(reading: Reading, items: readonly unknown[], level: Level): JsonShape | undefined {
  if (items.some((item) => inside(item, 'ColumnRef') !== undefined && hasStar(item))) return undefined;
  return membersShape(items.map((item, index) => [`f${String(index + 1)}`, partShape(reading, item, level)]));
}

function hasStar(column: unknown): boolean {
  return inside(listAt(inside(column, 'ColumnRef') ?? EMPTY, 'fields').at(-1), 'A_Star') !== undefined;
}

function elementsShape(reading: Reading, items: readonly unknown[], level: Level): JsonShape {
  return listOf(anyShape(items.map((item) => partShape(reading, item, level))));
}
