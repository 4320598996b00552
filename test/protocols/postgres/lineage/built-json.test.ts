import { beforeAll, describe, expect, it } from 'vitest';
import { loadGrammar } from '../../../../src/protocols/postgres/facts/grammar.js';
import type { JsonShape } from '../../../../src/protocols/postgres/lineage/json-shape.js';
import { readLineage } from '../../../../src/protocols/postgres/lineage/read-lineage.js';
import { sketchCatalog, spelled } from './fixture-catalog.js';

const catalog = sketchCatalog({ c: { columns: ['id', 'name', 'ssn'] } });

/** `=` a column as it stands, `~` made of one, `-` of none; `?` in front of what its looks tell. */
function written(shape: JsonShape | undefined): string {
  switch (shape?.kind) {
    case undefined:
      return 'unknown';
    case 'leaf': {
      const origins = spelled(catalog, shape.value.origins).map((place) => place.replace('c.', ''));
      return origins.length === 0 ? '-' : `${shape.value.plain ? '=' : '~'}${origins.join('+')}`;
    }
    case 'telling':
      return `?${spelled(catalog, shape.of.origins).join('+').replaceAll('c.', '')} ${written(shape.shape)}`;
    case 'list':
      return `[${written(shape.item)}…]`;
    case 'array':
      return `[${shape.items.map(written).join(', ')}]`;
    case 'object': {
      const members = [...shape.members].map(([name, member]) => `${name} ${written(member)}`);
      return `{${[...members, ...(shape.rest === undefined ? [] : [`* ${written(shape.rest)}`])].join(', ')}}`;
    }
  }
}

const CASES: readonly (readonly [expression: string, shape: string])[] = [
  ["JSON_OBJECT('id': id, 's' value upper(ssn))", '{id =id, s ~ssn}'],
  ["JSON_OBJECT('id': id, 's': nullif(ssn, '1') absent on null)", '?ssn {id =id, s ~ssn}'],
  ["JSON_OBJECT(name: ssn, 'id': id returning jsonb)", '?name {id =id+ssn, * =ssn}'],
  ["JSON_OBJECT('id': ssn returning text)", 'unknown'],
  ['JSON_ARRAY(id, ssn null on null)', '[=id, =ssn]'],
  ['JSON_ARRAY(id, ssn)', '[=id+ssn…]'],
  ['JSON_ARRAYAGG(ssn)', '[=ssn…]'],
  ['JSON_OBJECTAGG(name: ssn)', '?name {* =ssn}'],
  ["json_build_object('a', id, 'a', ssn)", 'unknown'],
  ["json_build_object('a'::char(1), ssn)", '{* =ssn}'],
  ["jsonb_build_object('a', id) || jsonb_build_object('a', ssn, 'b', name)", '{a =id+ssn, b =name}'],
  ["json_build_object('a', id) || json_build_object('a', ssn)", 'unknown'],
  ["jsonb_build_object('a', ssn) || $1::jsonb", '{a =ssn, * -}'],
  ['jsonb_build_array(id) || jsonb_build_array(ssn)', '[=id+ssn…]'],
  ["jsonb_build_array(id, ssn) - 'x'", '[=id+ssn…]'],
  ["jsonb_build_object('a', jsonb_build_array(id, ssn)) #- '{a,0}'", '{a [=id+ssn…]}'],
  ["jsonb_set(jsonb_build_object('a', id), '{a}', to_jsonb(ssn))", '{a =id+ssn}'],
  ["case when ssn = $1 then json_build_object('a', id) end", '?ssn {a =id}'],
  ["coalesce(json_agg(c), '[]')", '[{id =id, name =name, ssn =ssn}…]'],
  ['json_build_array(id, ssn) -> 0', '=id'],
  ['json_build_array(id, ssn) -> -1', '=id+ssn'],
  ["json_build_object('0', id, 'b', ssn) #> '{0}'", '~id+ssn'],
  ["json_build_object('0', id, 'b', ssn) -> $1", 'unknown'],
  ["json_build_object('a', json_build_object('b', id, 'c', ssn)) #> '{a,c}'", '=ssn'],
];

describe('what stands where in a document that a query builds', () => {
  beforeAll(loadGrammar);

  it.each(CASES)('%s is %s', (expression, shape) => {
    const { statements } = readLineage(`select ${expression} as x from c`, catalog, { searchPath: ['public'] });
    expect(written(statements[0]?.output?.columns[0]?.json)).toBe(shape);
  });
});
