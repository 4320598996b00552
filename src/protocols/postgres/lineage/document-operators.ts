import { EMPTY, inside, listAt, namesIn, nodeAt, textAt, type TreeNode } from '../facts/tree.js';
import { derived, strictlyDerived, type Derivation } from './derivation.js';
import { constantShape, isJsonb } from './document-types.js';
import { pathIn, stepIn } from './document-paths.js';
import { partShape } from './document-parts.js';
import {
  isDocument,
  joinedShape,
  loosenedShape,
  shapeAt,
  telling,
  valueIn,
  type JsonShape,
  type Step,
} from './json-shape.js';
import type { Reading } from './reading.js';
import { typeAt } from './reversible-values.js';
import type { Level } from './scope.js';
import { madeRoutines } from './session-names.js';

/**
 * `a || b`, `a - 'key'`, `a #- '{path}'` and what `->` and `#>` take out, where `a` is a document. Of json, unlike jsonb,
 * `||` joins the text.
 */
export function operatorShape(reading: Reading, node: TreeNode, level: Level): JsonShape | undefined {
  const operator = serversOperator(reading, node);
  if (operator === undefined) return undefined;
  if (operator === '||') {
    const joined = joinsJsonb(reading, node, level) ? joinedShape(...sidesOf(reading, node, level)) : undefined;
    return isDocument(joined) ? joined : undefined;
  }
  if (operator === '->' || operator === '#>') return takenShape(reading, node, operator, level);
  const document = operator === '-' || operator === '#-' ? reading.shape(node['lexpr'], level) : undefined;
  return isDocument(document) ? telling(loosenedShape(document), reading.value(node['rexpr'], level)) : undefined;
}

/** Is neither side of another type? A constant is taken for what the other side is. */
function joinsJsonb(reading: Reading, node: TreeNode, level: Level): boolean {
  const sides = [node['lexpr'], node['rexpr']];
  const known = sides.map((side) => isJsonb(reading, side, level));
  return known.includes(true) && sides.every((side, index) => known[index] === true || isUntyped(side));
}

function isUntyped(value: unknown): boolean {
  return nodeAt(inside(value, 'A_Const') ?? EMPTY, 'sval') !== undefined;
}

function sidesOf(reading: Reading, node: TreeNode, level: Level): readonly [JsonShape, JsonShape] {
  const side = (value: unknown): JsonShape => constantShape(value) ?? partShape(reading, value, level);
  return [side(node['lexpr']), side(node['rexpr'])];
}

/** Its name, where it can be none of users' own. */
function serversOperator(reading: Reading, node: TreeNode): string | undefined {
  const names = namesIn(listAt(node, 'name'));
  const name = names.at(-1) ?? '';
  // Those of extensions are of types of their own.
  const isOwn =
    reading.catalog.operatorRoutines(name).some(({ extension }) => !extension) ||
    madeRoutines(reading.names.made?.(name)).length > 0;
  return textAt(node, 'kind') === 'AEXPR_OP' && names.length === 1 && !isOwn ? name : undefined;
}

function takenShape(reading: Reading, node: TreeNode, operator: string, level: Level): JsonShape | undefined {
  const path = pathOf(reading, node, operator);
  const document = path === undefined ? undefined : reading.shape(node['lexpr'], level);
  return document === undefined || path === undefined ? undefined : shapeAt(document, path);
}

function pathOf(reading: Reading, node: TreeNode, operator: string): readonly Step[] | undefined {
  if (operator.startsWith('#')) return pathIn(reading, node['rexpr']);
  const step = stepIn(reading, node['rexpr']);
  return step === undefined ? undefined : [step];
}

/** text, varchar */
const TEXT_OIDS: ReadonlySet<number> = new Set([25, 1043]);
const TAKING: ReadonlySet<string> = new Set(['->', '->>', '#>', '#>>']);

/** What is behind a part that is taken out of a document; undefined where it may be any of it. */
export function takenValue(reading: Reading, node: TreeNode, level: Level): Derivation | undefined {
  const operator = serversOperator(reading, node);
  if (operator === undefined || !TAKING.has(operator)) return undefined;
  const shape = takenShape(reading, node, operator, level);
  if (shape === undefined) return undefined;
  const value = valueIn(shape);
  if (shape.kind !== 'leaf') return derived([value]);
  // A text comes out as it stands.
  const isText = operator.endsWith('>>') && TEXT_OIDS.has(typeAt(reading.catalog, value));
  return isText ? value : strictlyDerived([value]);
}
