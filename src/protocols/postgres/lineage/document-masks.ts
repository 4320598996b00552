import type { JsonMask, MaskRule } from '../../../core/mask.js';
import type { ResultColumn } from '../results/columns.js';
import { columnAt, derived, NOTHING, type Derivation } from './derivation.js';
import { valueIn, valuesIn, type JsonShape } from './json-shape.js';
import type { StatementReading } from './reading.js';
import { outputsOf } from './result-values.js';
import type { OutputColumn } from './scope.js';
import type { Held } from './session-memory.js';

/** json, jsonb */
const JSON_OIDS: ReadonlySet<number> = new Set([114, 3802]);
/** json[], jsonb[] */
const ARRAY_OIDS: ReadonlySet<number> = new Set([199, 3807]);

/** text, varchar */
const TEXT_OIDS: ReadonlySet<number> = new Set([25, 1043]);

/** What the columns behind a value are. */
export interface BehindValues {
  rule(value: Derivation): MaskRule | undefined;
  /** Of one column as it stands; 0 for others. */
  type(value: Derivation): number;
}

/** The columns of a result, where it is known whose rows these are: one query's. */
export function resultDocuments(
  statements: readonly StatementReading[],
  held: Held,
  nth: number | undefined,
): readonly OutputColumn[] {
  const [statement, ...others] = nth === undefined ? statements : statements.slice(nth, nth + 1);
  const outputs =
    statement === undefined || others.length > 0 ? undefined : outputsOf(statement, held, nth === undefined);
  const [output, ...more] = outputs ?? [];
  return more.length === 0 && output?.exact === true ? output.columns : [];
}

/** The rules of a result's columns, with what masks documents among them place by place. */
export function withDocuments(
  rules: readonly (MaskRule | undefined)[],
  columns: readonly ResultColumn[],
  outputs: readonly OutputColumn[],
  behind: BehindValues,
): readonly (MaskRule | undefined)[] {
  if (outputs.length !== columns.length || outputs.every((output) => shapeFor(output) === undefined)) return rules;
  return rules.map((rule, index) => {
    const [column, output] = [columns[index], outputs[index]];
    if (rule === undefined || column === undefined || output === undefined) return rule;
    const shape = shapeFor(output, column.typeOid);
    const document = shape === undefined ? undefined : documentMask(shape, output.value, column, behind);
    return document === undefined ? rule : { ...rule, document };
  });
}

/** What stands where in a value of that type, if it is a document or the text of one. */
function shapeFor({ json, jsonText }: OutputColumn, typeOid?: number): JsonShape | undefined {
  if (typeOid === undefined) return json ?? jsonText;
  return TEXT_OIDS.has(typeOid) ? jsonText : json;
}

/** Undefined where it has to be masked as one value. @param value what is behind all of it */
function documentMask(
  shape: JsonShape,
  value: Derivation,
  { tableOid, attribute, typeOid }: ResultColumn,
  behind: BehindValues,
): JsonMask | undefined {
  if (!JSON_OIDS.has(typeOid) && !ARRAY_OIDS.has(typeOid) && !TEXT_OIDS.has(typeOid)) return;
  // Of a view's column; a table's own is no document that a query built.
  const place = tableOid === 0 ? NOTHING : columnAt(tableOid, attribute);
  if (![...place.origins].every((origin) => value.origins.has(origin))) return;
  const parts = valuesIn(shape);
  const known = new Set(parts.flatMap(({ origins }) => [...origins]));
  const isShown = (origin: number): boolean => behind.rule({ ...NOTHING, origins: new Set([origin]) }) === undefined;
  const isKnown = ({ origins, anything, unresolved }: Derivation): boolean =>
    !anything && unresolved.length === 0 && [...origins].every((origin) => known.has(origin) || isShown(origin));
  if (!isKnown(value) || !parts.every(isKnown)) return;
  // What is masked in the record alone would be another document there.
  if (parts.some((part) => behind.rule(part)?.observed === true)) return;
  const mask = maskOf(shape, behind);
  if (ARRAY_OIDS.has(typeOid)) return mask.kind === 'list' ? mask : undefined;
  // A column's value that was made JSON, as it stands.
  const isValue = shape.kind === 'leaf' && shape.value.plain && !TEXT_OIDS.has(typeOid);
  return mask.kind === 'leaf' && !isValue ? undefined : mask;
}

function leafMask(rule: MaskRule | undefined, typeOid: number): JsonMask {
  return { kind: 'leaf', rule, ...(rule === undefined || typeOid === 0 ? {} : { typeOid }) };
}

function maskOf(shape: JsonShape, behind: BehindValues): JsonMask {
  switch (shape.kind) {
    case 'leaf':
      return leafMask(behind.rule(shape.value), behind.type(shape.value));
    case 'telling':
      // What its looks would tell is masked: then it is one value made of all of it.
      return behind.rule(shape.of) === undefined
        ? maskOf(shape.shape, behind)
        : { kind: 'leaf', rule: behind.rule(derived([shape.of, valueIn(shape.shape)])) };
    case 'object': {
      const members = new Map([...shape.members].map(([name, member]) => [name, maskOf(member, behind)] as const));
      return { kind: 'object', members, ...(shape.rest === undefined ? {} : { rest: maskOf(shape.rest, behind) }) };
    }
    case 'array':
      return { kind: 'array', items: shape.items.map((item) => maskOf(item, behind)) };
    case 'list':
      return { kind: 'list', item: maskOf(shape.item, behind) };
  }
}
