import { isSpelledByGrammar, isSystemUser, keywordCall } from '../facts/keyword-calls.js';
import { flagAt, inside, isNode, listAt, literalIn, namesIn, nodeAt, tagged } from '../facts/tree.js';
import type { TreeNode } from '../facts/tree.js';
import { functionName, routinesCalled } from './calls.js';
import { variesByCall } from './known-functions.js';
import type { Reading } from './reading.js';
import { ANY_CAST, madeRoutines } from './session-names.js';
import { isOwnRoutine } from './unwritten-calls.js';

/**
 * Is it something that the caller gave: literals, parameters and what is made of those alone, the same for every row? A
 * sequence that is asked anew for each row is not: in the same statement it could be asked at which number it was equal.
 */
export function isGiven(reading: Reading, value: unknown): boolean {
  if (Array.isArray(value)) return value.every((item) => isGiven(reading, item));
  if (!isNode(value)) return true;
  const found = tagged(value);
  if (found !== undefined && !isSame(reading, found.type, found.node)) return false;
  return Object.values(value).every((item) => isGiven(reading, item));
}

/** Does this node, apart from what is below it, give the same for every row? */
function isSame(reading: Reading, type: string, node: TreeNode): boolean {
  switch (type) {
    case 'ColumnRef':
    case 'SubLink':
    case 'SelectStmt':
      return false;
    case 'FuncCall': {
      const { name } = functionName(node);
      return (
        !flagAt(node, 'agg_star') &&
        !isSystemUser(node) &&
        !(isSpelledByGrammar(node) && isOwnRoutine(reading, name)) &&
        (!variesByCall(name) || isOwnSetting(node)) &&
        routinesCalled(reading, node).every(({ extension }) => extension) &&
        madeRoutines(reading.names.made?.(name)).length === 0
      );
    }
    case 'A_Expr':
      return namesIn(listAt(node, 'name')).every((name) =>
        isServers(reading, reading.catalog.operatorRoutines(name), name),
      );
    case 'TypeCast': {
      const name = namesIn(listAt(nodeAt(node, 'typeName') ?? node, 'names')).at(-1) ?? '';
      return isServers(reading, reading.catalog.castRoutines(name), ANY_CAST);
    }
    case 'CollateClause':
      return comparesBytes(reading, node);
    case 'A_Indirection':
      return namesIn(listAt(node, 'indirection')).every((name) => !isOwnRoutine(reading, name));
    default:
      return !isOwnRoutine(reading, keywordCall(type, node) ?? '');
  }
}

/** `current_setting('app.user')`: parameters with a dot in their name hold what sessions put there. */
function isOwnSetting(call: TreeNode): boolean {
  const { schema, name } = functionName(call);
  const setting = literalIn(listAt(call, 'args')[0])?.value;
  const ofServer = schema === '' || schema === 'pg_catalog';
  return ofServer && name === 'current_setting' && typeof setting === 'string' && setting.includes('.');
}

/** Is a setting read in it? */
export function readsSetting(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(readsSetting);
  if (!isNode(value)) return false;
  const call = inside(value, 'FuncCall');
  return (call !== undefined && isOwnSetting(call)) || Object.values(value).some(readsSetting);
}

/** No code of users does it. */
function isServers(reading: Reading, routines: readonly { readonly extension: boolean }[], madeAs: string): boolean {
  return routines.every(({ extension }) => extension) && madeRoutines(reading.names.made?.(madeAs)).length === 0;
}

/** Other collations may have texts equal that are not: which ones the caller could choose. */
export function comparesBytes(reading: Reading, collate: TreeNode): boolean {
  const names = namesIn(listAt(collate, 'collname'));
  // One of that name may stand in a schema that is looked into first.
  const isServers = names.length === 1 ? reading.names.searchPath?.[0] === 'pg_catalog' : names[0] === 'pg_catalog';
  return isServers && BYTEWISE.has(names.at(-1) ?? '');
}

const BYTEWISE: ReadonlySet<string> = new Set(['C', 'POSIX', 'default', 'ucs_basic']);
