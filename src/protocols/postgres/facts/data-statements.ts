import type { OpenWrite, RowEvent } from '../../../policy/types.js';
import { dangerOf, SETTINGS_VIEW } from './dangerous-functions.js';
import type { SettingChange } from './findings.js';
import { OpenColumns } from './open-columns.js';
import { isUnrestricted } from './predicate.js';
import { isSpelledByGrammar, keywordCall, KEYWORD_NODES } from './keyword-calls.js';
import { findCte, sourcesOf, tableSource, withCtes } from './row-sources.js';
import type { RowScope } from './row-sources.js';
import { EMPTY, flagAt, inside, listAt, literalIn, namesIn, nodeAt, objectName, textAt } from './tree.js';
import type { TreeNode } from './tree.js';
import { splitPath } from './search-path.js';
import type { Handler, Place, Walk } from './walk.js';

/** SELECT, INSERT, UPDATE, DELETE, MERGE, COPY and what stands inside of them. */
export const DATA_HANDLERS: Readonly<Record<string, Handler>> = {
  A_Const: () => undefined,
  String: () => undefined,
  ColumnRef: (walk, node) => {
    // `t.f` is the column f, or f(t) where t has none.
    const names = namesIn(listAt(node, 'fields'));
    if (names.length > 1) walk.findings.uses.field(names.at(-1) ?? '');
  },
  A_Expr: operation,
  SubLink: (walk, node, place) => {
    for (const name of namesIn(listAt(node, 'operName')).slice(-1)) walk.findings.uses.operator(name);
    walk.below(node, { ...place, bounded: false }, ['operName']);
  },
  SortBy: (walk, node, place) => {
    for (const name of namesIn(listAt(node, 'useOp')).slice(-1)) walk.findings.uses.operator(name);
    walk.below(node, place, ['useOp']);
  },
  TypeCast: (walk, node, place) => {
    const names = namesIn(listAt(nodeAt(node, 'typeName') ?? EMPTY, 'names'));
    if (names.length > 0 && names[0] !== 'pg_catalog') walk.findings.uses.type(names.at(-1) ?? '');
    walk.below(node, place);
  },
  RangeVar: (walk, node, place) => walk.reads(node, place),
  FuncCall: functionCall,
  ...Object.fromEntries(KEYWORD_NODES.map((type) => [type, keywordNode(type)])),
  A_Indirection: fieldAccess,
  SelectStmt: select,
  InsertStmt: insert,
  UpdateStmt: (walk, node, place) => changeRows(walk, node, place, 'update', 'fromClause'),
  DeleteStmt: (walk, node, place) => changeRows(walk, node, place, 'delete', 'usingClause'),
  MergeStmt: merge,
  CopyStmt: copy,
};

/** Enters a statement's WITH clause and gives the place inside of the statement. */
function enterWith(walk: Walk, node: TreeNode, place: Place): Place {
  const clause = nodeAt(node, 'withClause');
  if (clause === undefined) return place;
  const ctes = withCtes(clause, place.ctes);
  for (const item of listAt(clause, 'ctes')) {
    const cte = inside(item, 'CommonTableExpr') ?? EMPTY;
    walk.visit(cte['ctequery'], { ...place, ctes: findCte(ctes, textAt(cte, 'ctename'))?.inner });
    walk.below(cte, { ...place, ctes }, ['ctequery']);
  }
  return { ...place, ctes };
}

function select(walk: Walk, node: TreeNode, outer: Place): void {
  const place = enterWith(walk, node, outer);
  const into = nodeAt(nodeAt(node, 'intoClause') ?? EMPTY, 'rel');
  walk.effect(place, 'select');
  if (into !== undefined) {
    walk.effect(place, 'create');
    walk.writes(into, place);
  }
  const bounded = outer.bounded === true || isBounded(node, place);
  if (!bounded && place.executes) for (const item of listAt(node, 'fromClause')) noteScans(walk, item, place);
  // FOR UPDATE OF names aliases, not tables.
  const within = { ...place, bounded, setting: undefined };
  walk.below(node, within, ['withClause', 'intoClause', 'lockingClause', 'targetList']);
  // Computed for the rows that WHERE left, and only for these.
  for (const item of listAt(node, 'targetList')) walk.visit(item, { ...within, setting: settingOf(node, place) });
}

/** `FROM pg_settings WHERE name = '…'`: the setting of the only row; pg_dump names one so. */
function settingOf(select: TreeNode, place: Place): string | undefined {
  const from = listAt(select, 'fromClause');
  const relation = from.length === 1 ? inside(from[0], 'RangeVar') : undefined;
  const where = inside(select['whereClause'], 'A_Expr');
  if (relation === undefined || where === undefined) return undefined;
  const { schema, name } = objectName(relation);
  if (name !== SETTINGS_VIEW || (schema === '' ? findCte(place.ctes, name) !== undefined : schema !== 'pg_catalog'))
    return undefined;
  const equals = textAt(where, 'kind') === 'AEXPR_OP' && namesIn(listAt(where, 'name')).join('.') === '=';
  const value = equals && isSettingName(where['lexpr']) ? literalIn(where['rexpr'])?.value : undefined;
  return typeof value === 'string' ? value : undefined;
}

function isSettingName(value: unknown): boolean {
  const column = inside(value, 'ColumnRef');
  return column !== undefined && namesIn(listAt(column, 'fields')).join('.') === 'name';
}

/** Has it a LIMIT, or a WHERE that restricts what it reads? */
function isBounded(node: TreeNode, place: Place): boolean {
  const limit = node['limitCount'];
  if (limit !== undefined && literalIn(limit)?.value !== null) return true;
  if (node['whereClause'] === undefined) return false;
  const scope = { sources: sourcesOf(listAt(node, 'fromClause'), place.ctes), outer: undefined, ctes: place.ctes };
  return !isUnrestricted(node['whereClause'], scope, place.names);
}

/** Tables that stand in a FROM list as they are, also inside of joins. */
function noteScans(walk: Walk, item: unknown, place: Place): void {
  const join = inside(item, 'JoinExpr');
  if (join !== undefined) for (const side of [join['larg'], join['rarg']]) noteScans(walk, side, place);
  const relation = inside(item, 'RangeVar');
  if (relation === undefined) return;
  const name = objectName(relation);
  if (name.schema !== '' || findCte(place.ctes, name.name) === undefined) walk.findings.uses.scan(name);
}

/** Operators that PostgreSQL's own words stand for. */
const SPELLED: Readonly<Record<string, readonly string[]>> = {
  AEXPR_BETWEEN: ['>=', '<='],
  AEXPR_NOT_BETWEEN: ['<', '>'],
  AEXPR_BETWEEN_SYM: ['>=', '<='],
  AEXPR_NOT_BETWEEN_SYM: ['<', '>'],
};

function operation(walk: Walk, node: TreeNode, place: Place): void {
  const names = SPELLED[textAt(node, 'kind')] ?? namesIn(listAt(node, 'name')).slice(-1);
  for (const name of names) walk.findings.uses.operator(name);
  walk.below(node, place, ['name']);
}

function insert(walk: Walk, node: TreeNode, outer: Place): void {
  const place = enterWith(walk, node, outer);
  walk.effect(place, 'insert');
  const conflict = nodeAt(node, 'onConflictClause');
  const updates = conflict !== undefined && textAt(conflict, 'action') === 'ONCONFLICT_UPDATE';
  const sets = columnsSet(conflict);
  if (updates) target(walk, node, place, ['insert', 'update'], sets);
  else target(walk, node, place, ['insert']);
  const source = inside(node['selectStmt'], 'SelectStmt');
  // INSERT … VALUES selects nothing by itself.
  if (source !== undefined && source['valuesLists'] !== undefined)
    walk.below(source, enterWith(walk, source, place), ['withClause']);
  else walk.visit(node['selectStmt'], place);
  if (updates) walk.effect(place, 'update');
  walk.below(node, place, ['withClause', 'relation', 'selectStmt']);
}

function changeRows(walk: Walk, node: TreeNode, outer: Place, kind: 'update' | 'delete', sources: string): void {
  const place = enterWith(walk, node, outer);
  walk.effect(place, kind);
  target(walk, node, place, [kind], kind === 'update' ? columnsSet(node) : undefined);
  noteUnqualified(walk, kind, node['whereClause'], rowScope(node, listAt(node, sources), place), place);
  walk.below(node, place, ['withClause', 'relation']);
}

function merge(walk: Walk, node: TreeNode, outer: Place): void {
  const place = enterWith(walk, node, outer);
  walk.effect(place, 'merge');
  const clauses = listAt(node, 'mergeWhenClauses').map((clause) => inside(clause, 'MergeWhenClause') ?? EMPTY);
  const commands = clauses.map((clause) => textAt(clause, 'commandType'));
  if (commands.includes('CMD_INSERT')) walk.effect(place, 'insert');
  if (commands.includes('CMD_UPDATE')) walk.effect(place, 'update');
  if (commands.includes('CMD_DELETE')) walk.effect(place, 'delete');
  const events = { CMD_INSERT: 'insert', CMD_UPDATE: 'update', CMD_DELETE: 'delete' } as const;
  target(
    walk,
    node,
    place,
    commands.flatMap((command) => (command in events ? [events[command as keyof typeof events]] : [])),
    clauses.flatMap((clause) => (textAt(clause, 'commandType') === 'CMD_UPDATE' ? columnsSet(clause) : [])),
  );
  const changes = commands.includes('CMD_UPDATE') || commands.includes('CMD_DELETE');
  if (changes)
    noteUnqualified(walk, 'merge', node['joinCondition'], rowScope(node, [node['sourceRelation']], place), place);
  walk.below(node, place, ['withClause', 'relation']);
}

function noteUnqualified(walk: Walk, kind: OpenWrite['kind'], where: unknown, scope: RowScope, place: Place): void {
  if (!place.executes) return;
  const open = new OpenColumns();
  const judged = open.judge(kind, () => isUnrestricted(where, { ...scope, open }, place.names));
  if (judged === true) walk.findings.unqualified.add(kind);
  else if (judged !== false) walk.findings.uses.openWrite(judged);
}

function rowScope(node: TreeNode, others: readonly unknown[], place: Place): RowScope {
  const relation = nodeAt(node, 'relation') ?? EMPTY;
  // The target is always a table, even where a WITH query has its name.
  return {
    sources: [tableSource(relation, undefined), ...sourcesOf(others, place.ctes)],
    outer: undefined,
    ctes: place.ctes,
  };
}

/** Columns on the left of SET. */
function columnsSet(node: TreeNode | undefined): readonly string[] {
  return listAt(node ?? EMPTY, 'targetList').map((item) => textAt(inside(item, 'ResTarget') ?? EMPTY, 'name'));
}

/** The target is written; RETURNING reads it. */
function target(walk: Walk, node: TreeNode, place: Place, events: readonly RowEvent[], sets?: readonly string[]): void {
  const relation = nodeAt(node, 'relation') ?? EMPTY;
  walk.writes(relation, place, events, sets);
  if (node['returningClause'] !== undefined || node['returningList'] !== undefined)
    walk.findings.reads(objectName(relation));
  if (objectName(relation).name !== SETTINGS_VIEW || !place.executes) return;
  // A rule on the view turns an UPDATE into set_config for each row met, whichever setting that is.
  walk.effect(place, 'set-config');
  walk.effect(place, 'set-role');
  walk.findings.settings.push({ name: undefined, value: undefined });
  walk.findings.opaque('an update of pg_settings');
}

function copy(walk: Walk, node: TreeNode, place: Place): void {
  const into = flagAt(node, 'is_from');
  walk.effect(place, into ? 'copy-in' : 'copy-out');
  if (flagAt(node, 'is_program')) walk.effect(place, 'server-program');
  else if (node['filename'] !== undefined) walk.effect(place, 'server-file');
  const relation = nodeAt(node, 'relation');
  if (relation !== undefined && into) walk.writes(relation, place, ['insert']);
  else if (relation !== undefined) walk.reads(relation, { ...place, ctes: undefined });
  walk.below(node, place, ['relation']);
}

function functionCall(walk: Walk, node: TreeNode, place: Place): void {
  const written = namesIn(listAt(node, 'funcname'));
  // EXTRACT, TRIM and the like get their schema from the grammar, not from the writer.
  const isSyntax = textAt(node, 'funcformat') === 'COERCE_SQL_SYNTAX' || isSpelledByGrammar(node);
  const names = isSyntax ? written.slice(-1) : written;
  const args = listAt(node, 'args');
  const counted = !flagAt(node, 'func_variadic') && !flagAt(node, 'agg_within_group');
  walk.calls(names, counted ? args.length : undefined);
  if (names.at(-1)?.toLowerCase() === 'set_config') setConfig(walk, flagAt(node, 'func_variadic') ? [] : args, place);
  walk.below(node, place, ['funcname']);
}

/** A word that a server may not know: there it calls a function, with as many arguments as that takes. */
function keywordNode(type: string): Handler {
  return (walk, node, place) => {
    const name = keywordCall(type, node);
    if (name !== undefined) walk.calls([name], undefined);
    walk.below(node, place);
  };
}

function setConfig(walk: Walk, args: readonly unknown[], place: Place): void {
  walk.findings.effects.add('set-config');
  const named = args.some((arg) => inside(arg, 'NamedArgExpr') !== undefined);
  const read = isSettingName(args[0]) ? place.setting : undefined;
  const name = named ? undefined : (literalIn(args[0])?.value ?? read);
  if (typeof name !== 'string') {
    walk.findings.effects.add('set-role');
    walk.findings.settings.push({ name: undefined, value: undefined });
    walk.findings.opaque('set_config of a computed name');
    return;
  }
  const value = literalIn(args[1])?.value;
  const local = literalIn(args[2])?.value;
  settingChange(walk, {
    name,
    value: typeof value === 'string' ? value : undefined,
    ...(typeof value === 'string' && name.toLowerCase() === 'search_path' ? { list: splitPath(value) } : {}),
    ...(local === false ? {} : { local: true }),
  });
}

/** Notes a changed setting; two of them change who the session is. */
export function settingChange(walk: Walk, change: SettingChange & { readonly name: string }): void {
  const name = change.name.toLowerCase();
  walk.findings.settings.push({ ...change, name });
  identityChange(walk, name);
}

/** @param name of a setting, in lower case */
export function identityChange(walk: Walk, name: string): void {
  if (name === 'role') walk.findings.effects.add('set-role');
  if (name === 'session_authorization') walk.findings.effects.add('session-authorization');
}

/** `('/etc/passwd').pg_read_file` calls a function of one argument, whatever the value's type. */
function fieldAccess(walk: Walk, node: TreeNode, place: Place): void {
  for (const name of namesIn(listAt(node, 'indirection'))) {
    // Most fields are fields: only a name known to be more is taken for a call.
    if (dangerOf(name, 1) !== undefined) walk.calls([name], 1);
    else walk.findings.uses.field(name);
  }
  walk.below(node, place);
}
