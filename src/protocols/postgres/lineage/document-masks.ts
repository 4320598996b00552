import type { JsonMask, MaskRule } from '../../../core/mask.js';
import type { ResultColumn } from '../results/columns.js';
import type { Derivation } from './derivation.js';
import { valuesIn, type JsonShape } from './json-shape.js';
import type { StatementReading } from './reading.js';
import type { OutputColumn } from './scope.js';

const JSON_OIDS: ReadonlySet<number> = new Set([114, 3802]);
const TEXT_OIDS: ReadonlySet<number> = new Set([25, 1043]);

/** The columns of a result, where its rows are those of one statement's own query. */
export function resultDocuments(
  statements: readonly StatementReading[],
  nth: number | undefined,
): readonly OutputColumn[] {
  const [statement, ...others] = nth === undefined ? statements : statements.slice(nth, nth + 1);
  const output = others.length === 0 && statement?.runs === undefined ? statement?.output : undefined;
  return output?.exact === true ? output.columns : [];
}

/** The rules of a result's columns, with what masks documents among them place by place. */
export function withDocuments(
  rules: readonly (MaskRule | undefined)[],
  columns: readonly ResultColumn[],
  outputs: readonly OutputColumn[],
  ruleOf: (value: Derivation) => MaskRule | undefined,
): readonly (MaskRule | undefined)[] {
  if (outputs.length !== columns.length || outputs.every(({ json }) => json === undefined)) return rules;
  return rules.map((rule, index) => {
    const [column, output] = [columns[index], outputs[index]];
    if (rule === undefined || column === undefined || output?.json === undefined) return rule;
    const document = documentMask(output.json, output.value, column, ruleOf);
    return document === undefined ? rule : { ...rule, document };
  });
}

/** Undefined where it has to be masked as one value. @param value what is behind all of it */
function documentMask(
  shape: JsonShape,
  value: Derivation,
  column: ResultColumn,
  ruleOf: (value: Derivation) => MaskRule | undefined,
): JsonMask | undefined {
  if (shape.kind === 'leaf' || column.tableOid !== 0) return;
  if (!(shape.kind === 'text' ? TEXT_OIDS : JSON_OIDS).has(column.typeOid)) return;
  const parts = valuesIn(shape);
  const known = new Set(parts.flatMap(({ origins }) => [...origins]));
  const isKnown = ({ origins, anything, unresolved }: Derivation): boolean =>
    !anything && unresolved.length === 0 && [...origins].every((origin) => known.has(origin));
  if (!isKnown(value) || !parts.every(isKnown)) return;
  // What is masked in the record alone would be another document there.
  return parts.some((part) => ruleOf(part)?.observed === true) ? undefined : maskOf(shape, ruleOf);
}

function maskOf(shape: JsonShape, ruleOf: (value: Derivation) => MaskRule | undefined): JsonMask {
  switch (shape.kind) {
    case 'leaf':
      return { kind: 'leaf', rule: ruleOf(shape.value) };
    case 'object':
      return {
        kind: 'object',
        members: new Map([...shape.members].map(([name, member]) => [name, maskOf(member, ruleOf)])),
      };
    case 'array':
      return { kind: 'array', items: shape.items.map((item) => maskOf(item, ruleOf)) };
    case 'list':
      return { kind: 'list', item: maskOf(shape.item, ruleOf) };
    case 'text':
      return maskOf(shape.document, ruleOf);
  }
}
