import type { RowEvent } from '../../../policy/types.js';
import type { CatalogRelation, CatalogRoutine } from '../catalog/types.js';
import { readRoutine } from './bodies.js';
import { dangerOf } from './dangerous-functions.js';
import type { Findings } from './findings.js';
import { isGrammarReady, parseSql } from './grammar.js';
import { OverBounds } from './over-bounds.js';
import { HANDLERS, NO_NAMES } from './read-sql.js';
import { identityChange } from './data-statements.js';
import { EMPTY, inside, isNode, itemsOf, listAt, objectName, tagged, textAt } from './tree.js';
import type { TreeNode } from './tree.js';
import { Walk, type Place } from './walk.js';

/**
 * What code that the server keeps was found to do: bodies of routines, queries of views, rules, defaults. Read
 * once for each object of a catalogue, and forgotten with it.
 */

/** Languages whose code is text of other words than SQL, or a library. */
const NATIVE: ReadonlySet<string> = new Set(['c', 'internal']);

const routines = new WeakMap<CatalogRoutine, Findings>();
const views = new WeakMap<CatalogRelation, ViewCode>();
const rules = new WeakMap<CatalogRelation, readonly RuleCode[]>();
const defaults = new WeakMap<CatalogRelation, Findings>();

/** What the body of a routine does. Members of extensions are known: they do what the dangerous list says. */
export function routineFindings(routine: CatalogRoutine): Findings {
  return remembered(routines, routine, () => reading((walk) => readKept(walk, routine)));
}

function readKept(walk: Walk, routine: CatalogRoutine): void {
  const { findings } = walk;
  const danger = dangerOf(`${routine.schema}.${routine.name}`, undefined);
  for (const effect of danger?.effects ?? []) findings.effects.add(effect);
  if (danger !== undefined && danger.opaqueReason !== '') findings.opaque(danger.opaqueReason);
  if (routine.extension || routine.kind === 'aggregate') return;
  if (routine.withheld) return findings.opaque('a routine whose body can not be read now');
  if (NATIVE.has(routine.language)) return findings.opaque(`a routine in ${routine.language}`);
  if (routine.language !== 'sql' && routine.language !== 'plpgsql')
    return findings.opaque('a routine in a language that is not read');
  for (const setting of routine.settings) {
    const name = setting.slice(0, setting.indexOf('=')).toLowerCase();
    identityChange(walk, name);
    if (name === 'standard_conforming_strings') findings.opaque('a body under other rules of quoting');
  }
  const text = definitionOf(routine);
  const node = inside(onlyStatement(text), 'CreateFunctionStmt');
  if (node === undefined) return findings.opaque('a routine whose body does not parse');
  readRoutine(walk, node, placeIn(text));
}

/** The statement that would make the routine, but for what does not matter here. */
function definitionOf(routine: CatalogRoutine): string {
  const { kind, argumentList, returns, language, source, atomic } = routine;
  let tag = 'hoop';
  while (source.includes(`$${tag}$`)) tag += 'p';
  const head =
    kind === 'procedure'
      ? `CREATE PROCEDURE p(${argumentList})`
      : `CREATE FUNCTION f(${argumentList}) RETURNS ${returns}`;
  return `${head} LANGUAGE ${language} ${atomic ? source : `AS $${tag}$${source}$${tag}$`}`;
}

/** What reading a view does. */
export interface ViewCode {
  readonly findings: Findings;
  /** Relations of its outermost FROM: what changes where the view is updatable. */
  readonly sources: readonly { readonly schema: string; readonly name: string }[];
}

export function viewCode(view: CatalogRelation): ViewCode {
  return remembered(views, view, () => {
    const text = view.definition ?? '';
    const sources: { schema: string; name: string }[] = [];
    const findings = reading((walk) => {
      const select = inside(onlyStatement(text), 'SelectStmt');
      if (select === undefined) return walk.findings.opaque('a view whose query can not be read now');
      for (const item of listAt(select, 'fromClause')) collectSources(item, sources);
      walk.visit({ SelectStmt: select }, placeIn(text));
    });
    return { findings, sources };
  });
}

function collectSources(item: unknown, into: { schema: string; name: string }[]): void {
  const join = inside(item, 'JoinExpr');
  if (join !== undefined) for (const side of [join['larg'], join['rarg']]) collectSources(side, into);
  const relation = inside(item, 'RangeVar');
  if (relation !== undefined) into.push(objectName(relation));
}

/** What a rule does, and when. */
export interface RuleCode {
  readonly event: RowEvent | undefined;
  readonly findings: Findings;
}

const RULE_EVENTS: Readonly<Record<string, RowEvent>> = {
  CMD_INSERT: 'insert',
  CMD_UPDATE: 'update',
  CMD_DELETE: 'delete',
};

export function ruleCode(relation: CatalogRelation): readonly RuleCode[] {
  if (relation.rules.length === 0) return [];
  return remembered(rules, relation, () =>
    relation.rules.map((text) => {
      const rule = inside(onlyStatement(text), 'RuleStmt') ?? EMPTY;
      const findings = reading((walk) => {
        if (rule === EMPTY) return walk.findings.opaque('a rule that does not parse');
        const place = placeIn(text);
        walk.visit(rule['whereClause'], place);
        for (const action of listAt(rule, 'actions').flatMap(itemsOf)) walk.visit(action, place);
      });
      return { event: RULE_EVENTS[textAt(rule, 'event')], findings };
    }),
  );
}

/** What the defaults and generated columns of a table do. */
export function defaultFindings(relation: CatalogRelation): Findings {
  return remembered(defaults, relation, () =>
    reading((walk) => {
      for (const { expression } of relation.columns) {
        if (expression === undefined) continue;
        const select = inside(onlyStatement(`SELECT ${expression}`), 'SelectStmt');
        if (select === undefined) walk.findings.opaque('a default that does not parse');
        else walk.below(select, placeIn(expression));
      }
    }),
  );
}

function reading(read: (walk: Walk) => void): Findings {
  const walk = new Walk(HANDLERS);
  try {
    read(walk);
  } catch (error) {
    if (!(error instanceof OverBounds) && !(error instanceof RangeError)) throw error;
    walk.findings.opaque(error instanceof OverBounds ? error.message : 'nested too deeply to read');
  }
  return walk.findings;
}

/** The only statement of a text; undefined where it is none, or does not parse. */
function onlyStatement(text: string): TreeNode | undefined {
  const parsed = parseSql(text);
  const statements = parsed.kind === 'tree' ? listAt(parsed.tree, 'stmts') : [];
  const first = statements[0];
  if (statements.length !== 1 || !isNode(first)) return undefined;
  const stmt = first['stmt'];
  return tagged(stmt) === undefined ? undefined : (stmt as TreeNode);
}

function placeIn(text: string): Place {
  return { ctes: undefined, executes: true, inBody: true, names: NO_NAMES, source: () => text };
}

function remembered<Key extends object, Value>(known: WeakMap<Key, Value>, key: Key, make: () => Value): Value {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make();
  if (isGrammarReady()) known.set(key, made);
  return made;
}
