import { OverBounds } from '../facts/over-bounds.js';
import { EMPTY, inside, itemsOf, listAt, namesIn, textAt } from '../facts/tree.js';
import type { TreeNode } from '../facts/tree.js';
import { plpgsqlParts, sqlParts, sqlStatements, UNREADABLE_PARTS, type BodyParts } from './body-parts.js';
import { judgeCaught } from './guesses.js';
import { bodyStatements, readPart } from './read-part.js';
import { judgeBoundName } from './bound-names.js';
import { judgeReplacedRoutine, schemaOf } from './replaced-names.js';
import { derived, type Derivation } from './derivation.js';
import { movedAll } from './queries.js';
import { levelOf } from './scope.js';
import type { Reading, StatementReading } from './reading.js';
import { judgeTriggerFunction } from './triggers.js';

const NO_LEVEL = levelOf([], undefined, undefined);

/** DO: every value in it goes to where nobody looks. */
export function doBody(reading: Reading, node: TreeNode, source: () => string): StatementReading {
  const body = bodyText(node, 'args');
  const language = languageOf(node, 'args', 'plpgsql');
  judgeBody(reading, partsOf(language, body, source), 'a DO block', false);
  return {};
}

/** CREATE FUNCTION: what it returns is masked where it is called, as its body says; all else is judged here. */
export function createdBody(reading: Reading, node: TreeNode, source: () => string): StatementReading {
  const written = node['sql_body'];
  const parts =
    written === undefined
      ? partsOf(languageOf(node, 'options', 'sql'), bodyText(node, 'options'), source)
      : sqlStatements(bodyStatements(written));
  const name = namesIn(listAt(node, 'funcname')).at(-1) ?? '';
  const before = reading.catalog.routinesNamed(name).map((routine) => reading.routine(routine).result);
  const shown = judgeBody(reading, parts, 'a function body', true);
  const shows = derived([...shown, ...judgeDefaults(reading, node, parts)]);
  judgeBoundName(reading, 'routine', name, shows, before);
  judgeReplacedRoutine(reading, namesIn(listAt(node, 'funcname')), listAt(node, 'parameters').length, shows);
  judgeTriggerFunction(reading, name, parts);
  const schema = schemaOf(reading, namesIn(listAt(node, 'funcname')).at(-2) ?? '');
  const where = schema === undefined ? {} : { schema };
  return { makes: { kind: 'routine', name, ...where, ...(parts.unreadable ? {} : { body: parts }) } };
}

function option(node: TreeNode, field: string, name: string): unknown {
  return listAt(node, field)
    .map((item) => inside(item, 'DefElem') ?? EMPTY)
    .findLast((item) => textAt(item, 'defname').toLowerCase() === name)?.['arg'];
}

function bodyText(node: TreeNode, field: string): string {
  return namesIn(itemsOf(option(node, field, 'as'))).join('\n');
}

function languageOf(node: TreeNode, field: string, otherwise: string): string {
  return (textAt(inside(option(node, field, 'language'), 'String') ?? EMPTY, 'sval') || otherwise).toLowerCase();
}

/** The text that such a body stands in is parsed in another thread; the body would be parsed here. */
const MAX_BODY_CHARS = 64 << 10;

function partsOf(language: string, body: string, source: () => string): BodyParts {
  if (body.length > MAX_BODY_CHARS) throw new OverBounds('a body too large to follow');
  if (language === 'sql') return sqlParts(body);
  if (language === 'plpgsql') return plpgsqlParts(source(), body);
  return UNREADABLE_PARTS;
}

/** What a call gives for arguments that are left out; a body with effects may bring it anywhere. */
function judgeDefaults(reading: Reading, node: TreeNode, { hasEffects }: BodyParts): readonly Derivation[] {
  const values = listAt(node, 'parameters').map((item) =>
    reading.value((inside(item, 'FunctionParameter') ?? EMPTY)['defexpr'], NO_LEVEL),
  );
  if (hasEffects)
    for (const value of values)
      reading.findings.note({ kind: 'moved', clause: 'a default of a function', value, to: undefined });
  return values;
}

/** @returns what is behind the values that it returns */
function judgeBody(reading: Reading, body: BodyParts, clause: string, mayReturn: boolean): readonly Derivation[] {
  const { findings } = reading;
  const [computed, uses, written] = [new Set(findings.computed), findings.uses.length, findings.written.size];
  const shown = judgeParts(reading, body, clause, mayReturn);
  if (body.catches !== true) return shown;
  // What is done when something fails tells that it did, and no error of it is seen to be counted.
  const failing = [...findings.computed].filter((one) => !computed.has(one)).map(({ value }) => value);
  for (const use of findings.uses.slice(uses)) if (use.kind === 'moved') failing.push(use.value);
  for (const value of failing)
    findings.note({ kind: 'moved', clause: `${clause} that catches errors`, value, to: undefined });
  judgeCaught(reading, [...findings.written].slice(written));
  return shown;
}

function judgeParts(
  reading: Reading,
  { parts, unreadable }: BodyParts,
  clause: string,
  mayReturn: boolean,
): readonly Derivation[] {
  if (unreadable) {
    reading.findings.touchesAnything = true;
    reading.findings.note({ kind: 'unread', clause });
  }
  const body = reading.body();
  const shown: Derivation[] = [];
  for (const part of parts) {
    const output = readPart(body, part);
    if (output === undefined) continue;
    if (mayReturn && part.returned) shown.push(...output.columns.map(({ value }) => value));
    else movedAll(body, output, clause);
  }
  return shown;
}
