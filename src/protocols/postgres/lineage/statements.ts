import { EMPTY, flagAt, inside, isNode, listAt, namesIn, nodeAt, tagged, textAt } from '../facts/tree.js';
import type { TreeNode } from '../facts/tree.js';
import { createdBody, doBody } from './written-bodies.js';
import { folded } from './conditions.js';
import { isChange, namedColumns, relationLevel } from './changes.js';
import { judgeBoundName } from './bound-names.js';
import { queryAlone } from './brought-values.js';
import { ANYTHING, columnAt, derived, isNothing, NOTHING, type Derivation } from './derivation.js';
import { executed, UNKNOWN } from './executed.js';
import { preparedParameters } from './given-values.js';
import { movedAll } from './queries.js';
import type { Reading, StatementReading } from './reading.js';
import { levelOf, type Level, type Output } from './scope.js';
import { rename } from './renaming.js';
import { judgeReplacedView } from './replaced-names.js';
import { ANY_CAST } from './session-names.js';
import { fitsEveryRow, judgeCluster, judgeNewTable, judgeTableChange } from './table-changes.js';
import { leaves } from './leaving.js';
import { judgeTrigger } from './triggers.js';

type Handler = (reading: Reading, node: TreeNode, source: () => string) => StatementReading;

const ONE_HARMLESS: Output = { columns: [{ name: '', value: NOTHING }], exact: false };
const NO_LEVEL: Level = levelOf([], undefined, undefined);

/** What is remembered of a query's columns: what they hold of the text, and of which rows they are, counts inside of it alone. */
function kept({ columns, exact }: Output): Output {
  return { columns: columns.map(({ given: _, row: __, ...column }) => column), exact };
}

/** @param source the text of this statement alone */
export function readStatement(reading: Reading, statement: unknown, source: () => string): StatementReading {
  const { type, node } = tagged(statement) ?? { type: '', node: EMPTY };
  if (type === 'SelectStmt' || isChange(type)) {
    const output = queryAlone(reading, statement);
    if (type === 'SelectStmt' ? intoOf(node) !== undefined : output.columns.length === 0) return {};
    return { output: kept(output) };
  }
  return HANDLERS[type]?.(reading, node, source) ?? {};
}

/** INTO stands in the first SELECT of a set operation. */
function intoOf(select: TreeNode): TreeNode | undefined {
  const left = nodeAt(select, 'larg');
  return nodeAt(select, 'intoClause') ?? (left === undefined ? undefined : intoOf(left));
}

const HANDLERS: Readonly<Record<string, Handler>> = {
  ExplainStmt: explain,
  VariableShowStmt: () => ({ output: ONE_HARMLESS }),
  DeclareCursorStmt: (reading, node) => ({
    holds: { kind: 'cursor', name: textAt(node, 'portalname'), output: inner(reading, node['query']) },
  }),
  FetchStmt: (_reading, node) =>
    flagAt(node, 'ismove') ? {} : { output: UNKNOWN, runs: { kind: 'cursor', name: textAt(node, 'portalname') } },
  PrepareStmt: prepare,
  ExecuteStmt: executed,
  CopyStmt: copy,
  CreateTableAsStmt: createTableAs,
  ViewStmt: createView,
  CallStmt: (reading, node) => {
    const given = reading.value({ FuncCall: nodeAt(node, 'funccall') ?? EMPTY }, NO_LEVEL);
    return { output: { columns: [{ name: '', value: derived([given]) }], exact: false } };
  },
  DoStmt: doBody,
  CreateFunctionStmt: createdBody,
  // What code behind these does is not looked for before the catalogue shows it.
  DefineStmt: (_reading, node) => ({
    makes: { kind: 'routine', name: namesIn(listAt(node, 'defnames')).at(-1) ?? '' },
  }),
  CreateCastStmt: () => ({ makes: { kind: 'routine', name: ANY_CAST } }),
  CreateDomainStmt: (reading, node) => {
    for (const item of listAt(node, 'constraints')) domainDefault(reading, inside(item, 'Constraint') ?? EMPTY);
    return { makes: { kind: 'routine', name: ANY_CAST } };
  },
  CreateStmt: (reading, node) => {
    judgeNewTable(reading, node);
    return made(node, 'relation', 'table');
  },
  CreateSchemaStmt: (reading, node) => {
    for (const element of listAt(node, 'schemaElts')) {
      const { makes } = readStatement(reading, element, () => '');
      if (makes !== undefined) reading.findings.made.push(makes);
    }
    return {};
  },
  // Whether all rows fit is told; which columns are of the domain is not looked for.
  AlterDomainStmt: (reading, node) => {
    if (node['def'] !== undefined && inside(node['def'], 'Constraint') === undefined)
      domainDefault(reading, { contype: 'CONSTR_DEFAULT', raw_expr: node['def'] });
    reading.findings.computed.add({ value: ANYTHING, costly: false });
    return {};
  },
  // By these the server reads its own tables once more, under names that no mask knows.
  CreateForeignTableStmt: (reading, node) => {
    unread(reading, 'a foreign table');
    return made(nodeAt(node, 'base') ?? EMPTY, 'relation', 'table');
  },
  ImportForeignSchemaStmt: (reading) => unread(reading, 'IMPORT FOREIGN SCHEMA'),
  CreateSubscriptionStmt: (reading) => unread(reading, 'CREATE SUBSCRIPTION'),
  AlterTableStmt: (reading, node) => {
    judgeTableChange(reading, node);
    return {};
  },
  ClusterStmt: (reading, node) => {
    judgeCluster(reading, node);
    return {};
  },
  IndexStmt: createIndex,
  CreateTrigStmt: (reading, node) => {
    mentioned(reading, node, 'relation', 'CREATE TRIGGER');
    return { makes: judgeTrigger(reading, node) };
  },
  RuleStmt: (reading, node) => mentioned(reading, node, 'relation', 'CREATE RULE'),
  CreatePolicyStmt: (reading, node) => mentioned(reading, node, 'table', 'CREATE POLICY'),
  AlterPolicyStmt: (reading, node) => mentioned(reading, node, 'table', 'ALTER POLICY'),
  CreateStatsStmt: (reading, node) => mentioned(reading, node, 'relation', 'CREATE STATISTICS'),
  RenameStmt: rename,
  AlterObjectSchemaStmt: (reading, node) => {
    if (nodeAt(node, 'relation') !== undefined) leaves(reading, node, [], 'ALTER … SET SCHEMA');
    return {};
  },
};

/** It goes wherever a column of the domain is left out. */
function domainDefault(reading: Reading, { contype, raw_expr: value }: TreeNode): void {
  if (contype !== 'CONSTR_DEFAULT') return;
  movedAll(
    reading,
    { columns: [{ name: '', value: reading.value(value, NO_LEVEL) }], exact: true },
    'the default of a domain',
  );
}

function unread(reading: Reading, clause: string): StatementReading {
  reading.findings.note({ kind: 'unread', clause });
  return {};
}

function inner(reading: Reading, query: unknown): Output {
  const type = tagged(query)?.type ?? '';
  if (type === 'SelectStmt' || isChange(type)) return queryAlone(reading, query);
  const read = readStatement(reading, query, () => '');
  return read.output ?? { columns: [], exact: true };
}

/** Its parameters are those of EXECUTE, not of a Bind message. */
function prepare(reading: Reading, node: TreeNode): StatementReading {
  const { given } = reading.findings;
  const before = given.length;
  const output = inner(reading, node['query']);
  const own = given.splice(before);
  given.push(...own.filter(({ place }) => place.kind === 'literal'));
  const parameters = preparedParameters(own, node);
  return { holds: { kind: 'prepared', name: textAt(node, 'name'), output, parameters } };
}

/** A plan shows constants; the planner may have computed them by calling a routine. */
function explain(reading: Reading, node: TreeNode, source: () => string): StatementReading {
  const { findings } = reading;
  const before = findings.routineResults.length;
  const read = readStatement(reading, node['query'], source);
  if (read.runs !== undefined) return { output: UNKNOWN };
  const values = findings.routineResults.slice(before);
  // How often its parts ran, and what they held, tells of what was reckoned there.
  if (isAnalyzed(node)) values.push({ ...NOTHING, plain: false, origins: findings.derivesFrom });
  return { output: { columns: [{ name: '', value: derived(values) }], exact: false } };
}

function isAnalyzed(explain: TreeNode): boolean {
  return listAt(explain, 'options').some((item) => textAt(inside(item, 'DefElem') ?? EMPTY, 'defname') === 'analyze');
}

function copy(reading: Reading, node: TreeNode): StatementReading {
  const relation = nodeAt(node, 'relation');
  if (flagAt(node, 'is_from')) {
    const columns = relation === undefined ? [] : relationLevel(reading, relation).columns;
    // They hold what the caller brings; what is called may read others.
    const brought = columns.map(({ name }) => ({ name, value: NOTHING }));
    const level = levelOf([{ sources: [], columns: brought, open: undefined }], undefined, undefined);
    reading.condition(node['whereClause'], level, 'COPY FROM');
    const clause = flagAt(node, 'is_program') ? 'COPY FROM PROGRAM' : 'COPY FROM a file';
    return textAt(node, 'filename') === '' ? {} : unread(reading, clause);
  }
  const names = namesIn(listAt(node, 'attlist'));
  const output =
    relation === undefined ? inner(reading, node['query']) : namedColumns(relationLevel(reading, relation), names);
  if (textAt(node, 'filename') === '') return { copies: output };
  movedAll(reading, output, flagAt(node, 'is_program') ? 'COPY TO PROGRAM' : 'COPY TO a file');
  return {};
}

function createTableAs(reading: Reading, node: TreeNode): StatementReading {
  const clause = textAt(node, 'objtype') === 'OBJECT_MATVIEW' ? 'CREATE MATERIALIZED VIEW' : 'CREATE TABLE AS';
  movedAll(reading, inner(reading, node['query']), clause);
  const into = nodeAt(node, 'into');
  return into === undefined ? {} : made(into, 'rel', 'table');
}

/** A view shows what its query does: its columns are followed, its conditions judged when it is made. */
function createView(reading: Reading, node: TreeNode): StatementReading {
  const output = inner(reading, node['query']);
  const query = nodeAt(node, 'query');
  const { makes } = made(node, 'view', 'view');
  judgeBoundName(
    reading,
    'rows',
    makes?.name ?? '',
    derived(output.columns.map(({ value }) => value)),
    shownAs(reading, makes?.name ?? ''),
  );
  judgeReplacedView(reading, node, output);
  if (makes?.kind !== 'view') return {};
  return { makes: query === undefined ? makes : { ...makes, query } };
}

/** What is behind the relations of that name. */
function shownAs(reading: Reading, name: string): readonly Derivation[] {
  return reading.catalog.relationsNamed(name).flatMap((relation) => {
    const own = relation.columns.map(({ attribute }) => columnAt(relation.oid, attribute));
    const isView = relation.kind === 'view' || relation.kind === 'materialized-view';
    return [...own, ...((isView ? reading.view(relation) : undefined) ?? [])];
  });
}

function made(node: TreeNode, field: string, kind: 'table' | 'view'): StatementReading {
  const name = textAt(nodeAt(node, field) ?? EMPTY, 'relname');
  return name === '' ? {} : { makes: { kind, name } };
}

function createIndex(reading: Reading, node: TreeNode): StatementReading {
  const level = relationLevel(reading, nodeAt(node, 'relation') ?? EMPTY);
  for (const item of listAt(node, 'indexParams')) {
    const element = inside(item, 'IndexElem') ?? EMPTY;
    const expression = element['expr'];
    // Rows that are equal but for the case of letters may be found by equality as well.
    const indexed = folded(reading, expression);
    const column = namesIn(listAt(inside(indexed, 'ColumnRef') ?? EMPTY, 'fields')).at(-1);
    if (flagAt(node, 'unique')) fitsEveryRow(reading, level, column ?? textAt(element, 'name'));
    if (expression !== undefined && column === undefined)
      reading.findings.note({ kind: 'compared', clause: 'CREATE INDEX', value: reading.value(expression, level) });
  }
  if (node['whereClause'] !== undefined) reading.condition(node['whereClause'], level, 'CREATE INDEX');
  return {};
}

/** Definitions whose conditions run later, out of sight: no masked column may stand in them. */
function mentioned(reading: Reading, node: TreeNode, field: string, clause: string): StatementReading {
  const relation = nodeAt(node, field);
  if (relation === undefined) {
    for (const item of listAt(node, 'relations')) {
      const one = inside(item, 'RangeVar');
      if (one !== undefined) mentionedIn(reading, node, one, clause);
    }
    return {};
  }
  mentionedIn(reading, node, relation, clause);
  return {};
}

function mentionedIn(reading: Reading, node: TreeNode, relation: TreeNode, clause: string): void {
  const level = relationLevel(reading, relation);
  const [source] = level.sources;
  if (source === undefined) return;
  const images = ['old', 'new'].map((name) => ({ ...source, name }));
  const around: Level = { ...level, sources: [...level.sources, ...images] };
  for (const [field, part] of Object.entries(node)) {
    if (!isNode(part) && !Array.isArray(part)) continue;
    if (!EXPRESSIONS.has(field)) continue;
    for (const one of Array.isArray(part) ? (part as unknown[]) : [part]) {
      const inStatement = tagged(one);
      const value =
        inStatement !== undefined && isChange(inStatement.type)
          ? derived(reading.query(one, around, undefined).columns.map((column) => column.value))
          : reading.value(one, around);
      if (!isNothing(value)) reading.findings.note({ kind: 'compared', clause, value });
    }
  }
}

/** Where such definitions hold expressions and statements. */
const EXPRESSIONS = new Set(['whenClause', 'whereClause', 'actions', 'qual', 'with_check', 'exprs']);
