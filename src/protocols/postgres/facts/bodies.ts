import { functionSetting } from './session-statements.js';
import { EMPTY, inside, isNode, itemsOf, listAt, literalIn, namesIn, nodeAt, tagged, textAt } from './tree.js';
import type { TreeNode } from './tree.js';
import type { Handler, Place, Walk } from './walk.js';

/** Code written inside a statement: DO, CREATE FUNCTION, CREATE PROCEDURE. */
export const BODY_HANDLERS: Readonly<Record<string, Handler>> = {
  CreateFunctionStmt: createFunction,
  AlterFunctionStmt: (walk, node, place) => {
    walk.effect(place, 'alter');
    for (const option of options(node, 'actions')) functionOption(walk, option);
  },
  DoStmt: doBlock,
};

interface Option {
  readonly name: string;
  readonly value: unknown;
}

function options(node: TreeNode, field: string): readonly Option[] {
  return listAt(node, field).map((item) => {
    const option = inside(item, 'DefElem') ?? EMPTY;
    return { name: textAt(option, 'defname').toLowerCase(), value: option['arg'] };
  });
}

function createFunction(walk: Walk, node: TreeNode, place: Place): void {
  walk.effect(place, 'stored-code', 'create');
  readRoutine(walk, node, place);
}

/** What stands in a CREATE FUNCTION or CREATE PROCEDURE, without the effect of making it. */
export function readRoutine(walk: Walk, node: TreeNode, place: Place): void {
  const given = options(node, 'options');
  for (const option of given) functionOption(walk, option);
  walk.below(node, place, ['options', 'sql_body']);
  const names = new Set(
    listAt(node, 'parameters').map((item) => textAt(inside(item, 'FunctionParameter') ?? EMPTY, 'name')),
  );
  names.delete('');
  const inner: Place = { ...place, ctes: undefined, inBody: true, names, bounded: true };
  walk.visit(node['sql_body'], inner);
  const texts = given.filter((option) => option.name === 'as').flatMap((option) => namesIn(itemsOf(option.value)));
  if (texts.length > 0) readBody(walk, languageOf(given, ''), texts, inner);
}

function doBlock(walk: Walk, node: TreeNode, place: Place): void {
  walk.effect(place, 'do');
  const given = options(node, 'args');
  const texts = given.filter((option) => option.name === 'as').flatMap((option) => namesIn(itemsOf(option.value)));
  readBody(walk, languageOf(given, 'plpgsql'), texts, { ...place, ctes: undefined, inBody: true, names: new Set() });
}

function languageOf(given: readonly Option[], otherwise: string): string {
  const named = given
    .filter((option) => option.name === 'language')
    .map((option) => textAt(inside(option.value, 'String') ?? EMPTY, 'sval'));
  return (named.at(-1) ?? otherwise).toLowerCase();
}

function functionOption(walk: Walk, option: Option): void {
  const change = inside(option.value, 'VariableSetStmt');
  if (option.name === 'set' && change !== undefined) functionSetting(walk, change);
  if (option.name === 'support') {
    const name = namesIn(itemsOf(option.value));
    if (name.length > 0) walk.calls(name, undefined);
  }
}

function readBody(walk: Walk, language: string, texts: readonly string[], place: Place): void {
  if (language === 'c' || language === 'internal') {
    // C code is loaded from a file of the server; `internal` gives a built-in another name.
    walk.effect(place, 'extension', 'server-file');
    walk.findings.opaque(`a body in ${language}`);
  } else if (language === 'sql') {
    for (const text of texts) readSql(walk, text, place);
  } else if (language === 'plpgsql') {
    readPlpgsql(walk, texts.join('\n'), place);
  } else {
    walk.findings.opaque('a body in a language that is not read');
  }
}

/** Reads statements in text that runs inside the server; `isValue` where that is `SELECT` and an expression. */
function readSql(walk: Walk, text: string, place: Place, isValue = false): void {
  const parsed = walk.parseSql(text);
  if (parsed.kind !== 'tree') {
    walk.findings.opaque(parsed.kind === 'failed' ? parsed.reason : 'a body that does not parse');
    return;
  }
  const inner: Place = { ...place, source: () => text };
  const statements = listAt(parsed.tree, 'stmts');
  for (const item of statements) {
    // The source of a function below is cut out of this text only where it is alone in it.
    const stmt = isNode(item) ? item['stmt'] : undefined;
    if (statements.length > 1 && /^(DoStmt|CreateFunctionStmt)$/.test(tagged(stmt)?.type ?? '')) {
      walk.findings.opaque('several bodies in one body');
    }
    const select = isValue ? inside(stmt, 'SelectStmt') : undefined;
    // A bare computation is no SELECT that anyone wrote.
    if (select !== undefined && select['fromClause'] === undefined) walk.below(select, inner);
    else walk.statement(stmt, inner);
  }
}

/** Without a catalogue the compiler knows no fields of `t%ROWTYPE`; of a variable of type `t` it takes any. */
const ROW_TYPE = /%\s*rowtype\b/gi;

function readPlpgsql(walk: Walk, body: string, place: Place): void {
  let parsed = walk.parsePlpgsql(place.source(), body);
  if (parsed.kind === 'failed' && ROW_TYPE.test(body))
    parsed = walk.parsePlpgsql(place.source().replace(ROW_TYPE, ''), body.replace(ROW_TYPE, ''));
  if (parsed.kind !== 'tree') {
    walk.findings.opaque(parsed.kind === 'failed' ? parsed.reason : 'a body that does not parse');
    return;
  }
  const names = new Set<string>();
  collectNames(parsed.tree, names);
  readParts(walk, parsed.tree, { ...place, names });
}

/** Variables: what the compiler lists by `refname`. */
function collectNames(value: unknown, names: Set<string>): void {
  if (Array.isArray(value)) for (const item of value) collectNames(item, names);
  else if (isNode(value)) {
    const name = textAt(value, 'refname');
    if (name !== '') names.add(name);
    for (const child of Object.values(value)) collectNames(child, names);
  }
}

/** Where text that is computed when it runs stands in each statement that can run it. */
const COMPUTED: Readonly<Record<string, string>> = {
  PLpgSQL_stmt_dynexecute: 'query',
  PLpgSQL_stmt_dynfors: 'query',
  PLpgSQL_stmt_return_query: 'dynquery',
  PLpgSQL_stmt_open: 'dynquery',
};

/** What may leave another cursor under a name. */
const CURSORS: ReadonlySet<string> = new Set(['PLpgSQL_stmt_open', 'PLpgSQL_stmt_close', 'PLpgSQL_stmt_forc']);

function readParts(walk: Walk, value: unknown, place: Place): void {
  if (Array.isArray(value)) {
    for (const item of value) readParts(walk, item, place);
    return;
  }
  if (!isNode(value)) return;
  for (const [key, child] of Object.entries(value)) {
    if (!isNode(child)) {
      readParts(walk, child, place);
      continue;
    }
    if (CURSORS.has(key)) walk.findings.uses.cursors();
    if (key === 'PLpgSQL_expr') readExpression(walk, child, place);
    const computed = COMPUTED[key];
    const run = computed === undefined ? undefined : inside(child[computed], 'PLpgSQL_expr');
    if (run !== undefined) readComputed(walk, textAt(run, 'query'), place);
    readParts(walk, child, place);
  }
}

/** `parseMode`: 0 a statement, 1 a type, 2 an expression, 3 to 5 an assignment to a name of 1 to 3 parts. */
function readExpression(walk: Walk, expression: TreeNode, place: Place): void {
  const text = textAt(expression, 'query');
  const mode = typeof expression['parseMode'] === 'number' ? expression['parseMode'] : 0;
  if (mode === 0) return readSql(walk, text, place);
  if (mode === 2) return readValue(walk, text, place);
  if (mode < 3) return walk.findings.opaque('a part of a body that is not read');
  readAssignment(walk, text, place);
}

/** Operators tried as the one that assigns; more stand only in odd subscripts. */
const MAX_SPLITS = 8;

/**
 * `target := value` or `target = value`, where the target may have subscripts to compute. The first
 * operator that leaves two readable sides is the one: inside brackets, strings and comments it does not.
 */
function readAssignment(walk: Walk, text: string, place: Place): void {
  let tries = 0;
  for (const operator of text.matchAll(/:?=/g)) {
    tries += 1;
    if (tries > MAX_SPLITS) break;
    const sides = [text.slice(0, operator.index), text.slice(operator.index + operator[0].length)];
    if (!sides.every((side) => walk.parseSql(`SELECT ${side}`).kind === 'tree')) continue;
    for (const side of sides) readValue(walk, side, place);
    return;
  }
  walk.findings.opaque('an assignment that is not read');
}

/** An expression; with FROM behind it PL/pgSQL takes it for a query. */
function readValue(walk: Walk, expression: string, place: Place): void {
  readSql(walk, `SELECT ${expression}`, place, true);
}

/** EXECUTE of a literal is as good as the statement; of anything else it can't be read. */
function readComputed(walk: Walk, expression: string, place: Place): void {
  const parsed = walk.parseSql(`SELECT ${expression}`);
  const statements = parsed.kind === 'tree' ? listAt(parsed.tree, 'stmts') : [];
  const first = statements[0];
  const select = statements.length === 1 && isNode(first) ? inside(first['stmt'], 'SelectStmt') : undefined;
  const targets = select === undefined || select['fromClause'] !== undefined ? [] : listAt(select, 'targetList');
  const literal = targets.length === 1 ? literalIn(nodeAt(inside(targets[0], 'ResTarget') ?? EMPTY, 'val')) : undefined;
  if (typeof literal?.value === 'string') return readSql(walk, literal.value, place);
  walk.effect(place, 'dynamic');
  walk.findings.opaque('EXECUTE of computed text');
}
