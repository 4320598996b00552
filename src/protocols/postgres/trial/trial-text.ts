import { parseSql } from '../facts/grammar.js';
import { statementRanges } from '../facts/split.js';
import { isNode, listAt, nodeAt, tagged, textAt, type TreeNode } from '../facts/tree.js';

/** What a statement that is to be tried out is. */
export interface TrialText {
  readonly kind: 'select' | 'insert' | 'update' | 'delete' | 'merge';
  /** The statement alone, without a semicolon. */
  readonly text: string;
  /** The same, giving the rows that it changes; undefined where it gives rows by itself, or can't. */
  readonly returning: string | undefined;
  /** INSERT … ON CONFLICT DO UPDATE: some of the rows may have been there. */
  readonly upsert: boolean;
}

const KINDS: ReadonlyMap<string, TrialText['kind']> = new Map([
  ['SelectStmt', 'select'],
  ['InsertStmt', 'insert'],
  ['UpdateStmt', 'update'],
  ['DeleteStmt', 'delete'],
  ['MergeStmt', 'merge'],
]);

/** Reads a text of one statement that reads or changes rows; undefined where it is none. */
export function trialText(text: string): TrialText | undefined {
  const parsed = parseSql(text);
  const statements = parsed.kind === 'tree' ? listAt(parsed.tree, 'stmts') : [];
  const [only] = statements;
  const statement = isNode(only) ? tagged(only['stmt']) : undefined;
  const kind = KINDS.get(statement?.type ?? '');
  const [range] = statementRanges(text, statements);
  if (statements.length !== 1 || statement === undefined || kind === undefined || range === undefined) return undefined;
  const alone = text.slice(range.start, range.end);
  const { node } = statement;
  const changes = kind === 'insert' || kind === 'update' || kind === 'delete';
  // RETURNING stands last in each of these; a comment at the end may run to the end of its line.
  const returning = changes && !returns(node) ? `${alone}\nreturning ${quoted(targetOf(node))}.*` : undefined;
  const upsert = textAt(nodeAt(node, 'onConflictClause') ?? {}, 'action') === 'ONCONFLICT_UPDATE';
  return { kind, text: alone, returning, upsert };
}

/** The parser of PostgreSQL 18 has another field for it. */
function returns(node: TreeNode): boolean {
  return listAt(node, 'returningList').length > 0 || nodeAt(node, 'returningClause') !== undefined;
}

/** The name by which the statement's own clauses call the table that it changes. */
function targetOf(node: TreeNode): string {
  const relation = nodeAt(node, 'relation') ?? {};
  const alias = textAt(nodeAt(relation, 'alias') ?? {}, 'aliasname');
  return alias === '' ? textAt(relation, 'relname') : alias;
}

/** A name as SQL, whatever is in it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as an SQL literal, where `standard_conforming_strings` is on. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
