import { EMPTY, inside, listAt, namesIn, nodeAt, textAt } from '../facts/tree.js';
import type { TreeNode } from '../facts/tree.js';
import type { BodyParts } from './body-parts.js';
import { relationLevel } from './changes.js';
import { derived } from './derivation.js';
import { routineParts } from './kept-routines.js';
import { movedAll } from './queries.js';
import type { Reading } from './reading.js';
import { levelOf, wholeOf, type Ctes, type Item, type Level } from './scope.js';
import { madeRoutines, type MadeTrigger } from './session-names.js';
import { readPart } from './read-part.js';

const CLAUSE = 'a trigger';

/** CREATE TRIGGER: what its function does with the rows that it is given. */
export function judgeTrigger(reading: Reading, node: TreeNode): MadeTrigger {
  const relation = nodeAt(node, 'relation') ?? EMPTY;
  const transitions = listAt(node, 'transitionRels').map((item) =>
    textAt(inside(item, 'TriggerTransition') ?? EMPTY, 'name'),
  );
  const name = namesIn(listAt(node, 'funcname')).at(-1) ?? '';
  const made: MadeTrigger = { kind: 'trigger', name, relation, transitions };
  const kept = reading.catalog.routinesNamed(name).filter((routine) => !routine.extension);
  const own = madeRoutines(reading.names.made?.(name));
  for (const routine of kept) judgeRows(reading, made, routineParts(routine));
  for (const { body } of own) judgeRows(reading, made, body);
  if (kept.length + own.length === 0) judgeArguments(reading, relation, node);
  return made;
}

/** CREATE FUNCTION: it may be that of triggers that are there. */
export function judgeTriggerFunction(reading: Reading, name: string, parts: BodyParts): void {
  for (const made of reading.names.made?.(name) ?? []) if (made.kind === 'trigger') judgeRows(reading, made, parts);
  const routines = new Set(reading.catalog.routinesNamed(name).map(({ oid }) => oid));
  if (routines.size === 0) return;
  for (const relation of reading.catalog.relations())
    if (relation.triggers.some(({ routine }) => routines.has(routine))) {
      const node = { schemaname: relation.schema, relname: relation.name };
      const transitions = relation.triggers.flatMap((trigger) => trigger.transitions ?? []);
      judgeRows(reading, { kind: 'trigger', name, relation: node, transitions }, parts);
    }
}

function judgeRows(reading: Reading, { relation, transitions }: MadeTrigger, body: BodyParts | undefined): void {
  const level = relationLevel(reading, relation);
  if (body === undefined || body.unreadable) {
    reading.findings.note({ kind: 'moved', clause: CLAUSE, value: derived(level.sources.map(wholeOf)), to: undefined });
    return;
  }
  const inner = reading.body(around(level, transitions));
  for (const part of body.parts) {
    const output = readPart(inner, part);
    // What it returns goes where the row was to go.
    if (output !== undefined && !part.returned) movedAll(inner, output, CLAUSE);
  }
}

/** `OLD` and `NEW`, and the tables of all rows. */
function around(level: Level, transitions: readonly string[]): Level {
  const rows: Item = {
    sources: level.sources.flatMap((source) => ['old', 'new'].map((name) => ({ ...source, name }))),
    columns: [],
    open: undefined,
  };
  const output = { columns: level.columns, exact: level.open === undefined };
  const ctes = transitions.reduce<Ctes | undefined>((next, name) => ({ name, next, output: () => output }), undefined);
  return levelOf([rows], undefined, ctes);
}

/** A function of the server's own, such as tsvector_update_trigger, is told columns by name. */
function judgeArguments(reading: Reading, relation: TreeNode, node: TreeNode): void {
  const names = new Set(namesIn(listAt(node, 'args')));
  const { columns } = relationLevel(reading, relation);
  movedAll(reading, { columns: columns.filter(({ name }) => names.has(name)), exact: true }, CLAUSE);
}
