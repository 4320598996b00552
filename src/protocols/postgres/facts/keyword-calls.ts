import { listAt, namesIn, textAt, type TreeNode } from './tree.js';

/**
 * Words that are syntax to the grammar of 18 and plain names of functions to a server that is older: there
 * `json_value(a, b)` calls a function of users' own, where someone made one.
 *
 * @see https://www.postgresql.org/docs/current/sql-keywords-appendix.html
 */
const WORDS: Readonly<Record<string, (node: TreeNode) => string>> = {
  JsonFuncExpr: (node) => textAt(node, 'op').replace(/_OP$/, '').toLowerCase(),
  JsonScalarExpr: () => 'json_scalar',
  JsonParseExpr: () => 'json',
  JsonSerializeExpr: () => 'json_serialize',
  JsonObjectConstructor: () => 'json_object',
  JsonArrayConstructor: () => 'json_array',
  JsonArrayQueryConstructor: () => 'json_array',
  JsonObjectAgg: () => 'json_objectagg',
  JsonArrayAgg: () => 'json_arrayagg',
  MergeSupportFunc: () => 'merge_action',
};

/** The function that a node calls on a server that does not know its word; undefined where every server does. */
export function keywordCall(type: string, node: TreeNode): string | undefined {
  return WORDS[type]?.(node);
}

export const KEYWORD_NODES: readonly string[] = Object.keys(WORDS);

/** `json_object(a)` has its schema from the grammar, not from the writer: an older server looks the name up. */
export function isSpelledByGrammar(call: TreeNode): boolean {
  return namesIn(listAt(call, 'funcname')).join('.') === 'pg_catalog.json_object';
}

/** `SYSTEM_USER`, to a server before 16 the name of a column. */
export function isSystemUser(call: TreeNode): boolean {
  return (
    textAt(call, 'funcformat') === 'COERCE_SQL_SYNTAX' &&
    namesIn(listAt(call, 'funcname')).join('.') === 'pg_catalog.system_user'
  );
}
