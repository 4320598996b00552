import { parsePlpgsql, parseSql } from '../facts/grammar.js';
import { inside, isNode, listAt, literalIn, nodeAt, textAt, EMPTY } from '../facts/tree.js';
import type { TreeNode } from '../facts/tree.js';

/** One statement or expression of a PL/pgSQL body. */
export interface BodyPart {
  /** The statement's tree; an expression is the SELECT that it amounts to. */
  readonly statement: unknown;
  /** Does its value leave as what the routine returns, and no other way? */
  readonly returned: boolean;
}

export interface BodyParts {
  readonly parts: readonly BodyPart[];
  /** Does it show or keep what it works on: RAISE, changes of rows, computed statements? */
  readonly hasEffects: boolean;
  /** Text is computed and run, or a part could not be read. */
  readonly unreadable: boolean;
  /** Errors are caught in it: what is done then tells that there was one. */
  readonly catches?: boolean;
  /** Names of types of its variables: what is assigned to one of a domain goes through the domain's checks. */
  readonly types?: readonly string[];
}

export const UNREADABLE_PARTS: BodyParts = { parts: [], hasEffects: true, unreadable: true };

/** The parts of a body. @param statement the DO or CREATE FUNCTION that holds it */
export function plpgsqlParts(statement: string, body: string): BodyParts {
  const parsed = parsePlpgsql(statement, body);
  if (parsed.kind !== 'tree') return UNREADABLE_PARTS;
  const gathered: Gathered = { parts: [], hasEffects: false, unreadable: false, catches: false, types: [] };
  gather(parsed.tree, false, gathered);
  return gathered;
}

/** The statements of an SQL body. */
export function sqlParts(body: string): BodyParts {
  const parsed = parseSql(body);
  if (parsed.kind !== 'tree') return UNREADABLE_PARTS;
  const statements = listAt(parsed.tree, 'stmts').map((item) => (isNode(item) ? item['stmt'] : undefined));
  return sqlStatements(statements);
}

export function sqlStatements(statements: readonly unknown[]): BodyParts {
  const parts = statements.map((statement, index): BodyPart => ({
    statement,
    returned: index === statements.length - 1,
  }));
  return { parts, hasEffects: parts.some(({ statement }) => changes(statement)), unreadable: false };
}

/** Anything but a query may keep what it works on. */
function changes(statement: unknown): boolean {
  return inside(statement, 'SelectStmt') === undefined && inside(statement, 'ReturnStmt') === undefined;
}

interface Gathered {
  readonly parts: BodyPart[];
  readonly types: string[];
  hasEffects: boolean;
  unreadable: boolean;
  catches: boolean;
}

/** What may show or keep a value. */
const EFFECTS = /^PLpgSQL_stmt_(?:raise|assert|dynexecute|dynfors|open|call|commit|rollback)$/;
const COMPUTED: Readonly<Record<string, string>> = {
  PLpgSQL_stmt_dynexecute: 'query',
  PLpgSQL_stmt_dynfors: 'query',
  PLpgSQL_stmt_return_query: 'dynquery',
  PLpgSQL_stmt_open: 'dynquery',
};
const RETURNS = /^PLpgSQL_stmt_return(?:_query|_next)?$/;

function gather(value: unknown, returned: boolean, into: Gathered): void {
  if (Array.isArray(value)) {
    for (const item of value) gather(item, returned, into);
    return;
  }
  if (!isNode(value)) return;
  for (const [key, child] of Object.entries(value)) {
    if (!isNode(child)) {
      gather(child, returned, into);
      continue;
    }
    if (EFFECTS.test(key)) into.hasEffects = true;
    if (key === 'PLpgSQL_exception_block' || key === 'exceptions') into.catches = true;
    if (key === 'PLpgSQL_type') into.types.push(typeNamed(textAt(child, 'typname')));
    if (key === 'PLpgSQL_expr') gatherExpression(child, returned, into);
    const computed = COMPUTED[key];
    const run = computed === undefined ? undefined : inside(child[computed], 'PLpgSQL_expr');
    if (run !== undefined) gatherComputed(textAt(run, 'query'), returned, into);
    gather(child, returned || RETURNS.test(key), into);
  }
}

/** The bare name in `public."d"[]` and `varchar(3)`. */
function typeNamed(written: string): string {
  const name = /([^."\s[(]+)"?\s*(?:[[(].*)?$/.exec(written)?.[1] ?? '';
  return written.includes('"') ? name : name.toLowerCase();
}

/** `parseMode`: 0 a statement, 2 an expression, 3 to 5 an assignment to a name of 1 to 3 parts. */
function gatherExpression(expression: TreeNode, returned: boolean, into: Gathered): void {
  const text = textAt(expression, 'query');
  const mode = typeof expression['parseMode'] === 'number' ? expression['parseMode'] : 0;
  if (mode === 1) into.unreadable = true;
  else if (mode === 0) add(text, returned, into);
  else if (mode === 2) add(`SELECT ${text}`, returned, into);
  else add(`SELECT ${assigned(text)}`, returned, into);
}

/** What is assigned: text behind the first operator that leaves two readable sides. */
function assigned(text: string): string {
  for (const operator of text.matchAll(/:?=/g)) {
    const sides = [text.slice(0, operator.index), text.slice(operator.index + operator[0].length)] as const;
    if (sides.every((side) => parseSql(`SELECT ${side}`).kind === 'tree')) return `${sides[1]}`;
  }
  return text;
}

function add(text: string, returned: boolean, into: Gathered): void {
  const parsed = parseSql(text);
  if (parsed.kind !== 'tree') {
    into.unreadable = true;
    return;
  }
  for (const item of listAt(parsed.tree, 'stmts')) {
    const statement = isNode(item) ? item['stmt'] : undefined;
    if (changes(statement)) into.hasEffects = true;
    into.parts.push({ statement, returned });
  }
}

/** EXECUTE of a literal is as good as the statement. */
function gatherComputed(expression: string, returned: boolean, into: Gathered): void {
  const parsed = parseSql(`SELECT ${expression}`);
  const first = parsed.kind === 'tree' ? listAt(parsed.tree, 'stmts')[0] : undefined;
  const select = isNode(first) ? inside(first['stmt'], 'SelectStmt') : undefined;
  const target = inside(select === undefined ? undefined : listAt(select, 'targetList')[0], 'ResTarget') ?? EMPTY;
  const literal = literalIn(nodeAt(target, 'val'));
  if (typeof literal?.value === 'string') add(literal.value, returned, into);
  else into.unreadable = true;
}
