/**
 * Names that stored code looks up when it runs. What stands under one was judged when that code was made: whoever
 * puts something else there that shows a masked column would have it shown, compared or moved by code that nobody
 * judges any more.
 */
import type { Catalog, CatalogRelation } from '../catalog/types.js';
import { derived, isNothing, type Derivation } from './derivation.js';
import type { Reading } from './reading.js';

/** What is made: a call is told by its bracket or by the dot of `row.function`, rows by what stands before their name. */
type Kind = 'routine' | 'rows';

/**
 * @param shows what is behind the values that will be had under the name
 * @param before what was had under it so far
 */
export function judgeBoundName(
  reading: Reading,
  kind: Kind,
  name: string,
  shows: Derivation,
  before: readonly Derivation[],
): void {
  if (isNothing(shows) || covers(derived(before), shows) || !isNamed(reading.catalog, kind, name)) return;
  reading.findings.note({ kind: 'moved', clause: 'stored code that names it', value: shows, to: undefined });
}

function covers(known: Derivation, value: Derivation): boolean {
  if (known.anything) return true;
  return !value.anything && value.unresolved.length === 0 && [...value.origins].every((one) => known.origins.has(one));
}

function isNamed(catalog: Catalog, kind: Kind, name: string): boolean {
  const word = `(?<![\\w$])"?${name.replace(/[^\w]/g, '\\$&')}"?(?![\\w$])`;
  const found = new RegExp(
    kind === 'routine'
      ? `${word}\\s*\\(|\\.\\s*${word}`
      : `\\b(?:from|join|into|update|using|table|only|merge|copy)\\b[^;]*${word}`,
    'i',
  );
  const oids = new Set(kind === 'routine' ? catalog.routinesNamed(name).map(({ oid }) => oid) : []);
  for (const routine of catalog.routines()) {
    if (routine.extension || (kind === 'routine' && routine.name === name)) continue;
    if (routine.withheld || found.test(routine.source) || found.test(routine.argumentList)) return true;
  }
  for (const relation of catalog.relations())
    if ((kind === 'routine' || relation.name !== name) && names(relation, found, oids)) return true;
  return false;
}

function names(relation: CatalogRelation, found: RegExp, oids: ReadonlySet<number>): boolean {
  const { definition = '', rules, columns, readRoutines, writeRoutines, deleteRoutines } = relation;
  return (
    found.test(definition) ||
    rules.some((rule) => found.test(rule)) ||
    columns.some(({ expression = '' }) => found.test(expression)) ||
    [...readRoutines, ...writeRoutines, ...deleteRoutines].some((oid) => oids.has(oid))
  );
}
