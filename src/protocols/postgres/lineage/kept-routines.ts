import type { CatalogRoutine } from '../catalog/types.js';
import { parseSql } from '../facts/grammar.js';
import { inside, isNode, listAt } from '../facts/tree.js';
import { ANYTHING, either, NOTHING, type Derivation } from './derivation.js';
import { plpgsqlParts, sqlParts, sqlStatements, UNREADABLE_PARTS, type BodyParts } from './body-parts.js';
import { givesCursorNames } from './cursor-names.js';
import { keepsArguments } from './known-functions.js';
import type { Reading, RoutineReading } from './reading.js';
import { bodyStatements, readPart } from './read-part.js';

const HARMLESS: RoutineReading = { result: NOTHING, hasEffects: false };
const UNREADABLE: RoutineReading = { result: ANYTHING, hasEffects: true, unread: true };

/**
 * What a routine on the server tells of: every column that its body names anywhere, since what it
 * gives may depend on any of them.
 *
 * @param reading one of its own, whose uses nobody looks at
 */
export function readRoutine(reading: Reading, routine: CatalogRoutine): RoutineReading {
  // One of the server's own that does the work of an operator, a cast or an aggregate.
  if (routine.extension) return keepsArguments(routine.name) ? { ...HARMLESS, hasEffects: true } : HARMLESS;
  if (routine.kind === 'aggregate') return readAggregate(reading, routine);
  const body = readBody(reading, withDefaults(routineParts(routine), routine));
  const read = givesNamesOnly(routine) ? { ...body, result: NOTHING } : body;
  return routine.returnsSet ? { ...read, hasEffects: true } : read;
}

/** What stands for arguments that are left out may come back as well. */
function withDefaults(body: BodyParts, { argumentList, argumentsFrom, argumentsTo }: CatalogRoutine): BodyParts {
  if (argumentsFrom === argumentsTo || body.unreadable || !/\bDEFAULT\b/i.test(argumentList)) return body;
  const parsed = parseSql(`CREATE FUNCTION f(${argumentList}) RETURNS record LANGUAGE sql AS ''`);
  const first = parsed.kind === 'tree' ? listAt(parsed.tree, 'stmts')[0] : undefined;
  const made = isNode(first) ? inside(first['stmt'], 'CreateFunctionStmt') : undefined;
  if (made === undefined) return UNREADABLE_PARTS;
  const defaults = listAt(made, 'parameters').flatMap((item) => {
    const value = inside(item, 'FunctionParameter')?.['defexpr'];
    return value === undefined ? [] : [{ statement: { ReturnStmt: { returnval: value } }, returned: true }];
  });
  return { ...body, parts: [...body.parts, ...defaults] };
}

/** What a body tells of, read by a reading of its own. */
export function readBody(reading: Reading, parts: BodyParts): RoutineReading {
  if (parts.unreadable) {
    reading.findings.touchesAnything = true;
    return UNREADABLE;
  }
  const values: Derivation[] = [];
  for (const part of parts.parts) for (const { value } of readPart(reading, part)?.columns ?? []) values.push(value);
  const { mentioned, routineResults, keepsValues } = reading.findings;
  return {
    result: either([...values, { ...NOTHING, plain: false, origins: mentioned }, ...routineResults]),
    hasEffects: parts.hasEffects || keepsValues || (parts.types ?? []).some((type) => checksWithEffects(reading, type)),
  };
}

function checksWithEffects(reading: Reading, type: string): boolean {
  return reading.catalog
    .castRoutines(type)
    .some((routine) => !routine.extension && reading.routine(routine).hasEffects);
}

/** The routines that do its work; those of the server itself are not among them. */
function readAggregate(reading: Reading, routine: CatalogRoutine): RoutineReading {
  const known = routine.support.map((oid) => reading.catalog.routine(oid));
  const read = known.map((one) => (one === undefined ? UNREADABLE : reading.routine(one)));
  return {
    result: either([NOTHING, ...read.map((one) => one.result)]),
    hasEffects: read.some((one) => one.hasEffects),
  };
}

export function routineParts(routine: CatalogRoutine): BodyParts {
  const { language, source, withheld, atomic } = routine;
  if (withheld) return UNREADABLE_PARTS;
  if (language === 'sql') return atomic ? atomicParts(source) : sqlParts(source);
  return language === 'plpgsql' ? keptPlpgsqlParts(routine) : UNREADABLE_PARTS;
}

/** `RETURN …` or `BEGIN ATOMIC … END`. */
function atomicParts(body: string): BodyParts {
  const parsed = parseSql(`CREATE FUNCTION f() RETURNS record LANGUAGE sql ${body}`);
  const first = parsed.kind === 'tree' ? listAt(parsed.tree, 'stmts')[0] : undefined;
  const written = isNode(first) ? inside(first['stmt'], 'CreateFunctionStmt')?.['sql_body'] : undefined;
  return written === undefined ? UNREADABLE_PARTS : sqlStatements(bodyStatements(written));
}

function keptPlpgsqlParts(routine: CatalogRoutine): BodyParts {
  const statement = plpgsqlStatement(routine);
  return statement === undefined ? UNREADABLE_PARTS : plpgsqlParts(statement, routine.source);
}

function givesNamesOnly(routine: CatalogRoutine): boolean {
  const { language, withheld, argumentsFrom, argumentsTo, source } = routine;
  // What stands for an argument that is left out could be anything.
  if (language !== 'plpgsql' || withheld || argumentsFrom !== argumentsTo) return false;
  const statement = plpgsqlStatement(routine);
  return statement !== undefined && givesCursorNames(statement, source);
}

/** The statement that would make it; undefined where its text can't be put into one. */
function plpgsqlStatement({ source, argumentList, returns, kind }: CatalogRoutine): string | undefined {
  const tag = `$hoop${String(source.length)}$`;
  if (source.includes(tag)) return undefined;
  const head =
    kind === 'procedure'
      ? `CREATE PROCEDURE f(${argumentList})`
      : `CREATE FUNCTION f(${argumentList}) RETURNS ${returns}`;
  return `${head} LANGUAGE plpgsql AS ${tag}${source}${tag}`;
}
