import type { CatalogRoutine } from '../catalog/types.js';
import { ANYTHING, either, NOTHING, type Derivation } from './derivation.js';
import { keptPlpgsqlParts, sqlParts, type BodyParts } from './plpgsql-parts.js';
import type { Reading, RoutineReading } from './reading.js';
import { readPart } from './written-bodies.js';

/** Nothing else than compute with what they are given. */
const HARMLESS: RoutineReading = { result: NOTHING, hasEffects: false };
const UNREADABLE: RoutineReading = { result: ANYTHING, hasEffects: true };

/**
 * What a routine on the server tells of: every column that its body names anywhere, since what it
 * gives may depend on any of them.
 *
 * @param reading one of its own, whose uses nobody looks at
 */
export function readRoutine(reading: Reading, routine: CatalogRoutine): RoutineReading {
  if (routine.extension) return HARMLESS;
  const parts = partsOf(routine);
  if (parts === undefined || parts.unreadable) {
    reading.findings.touchesAnything = true;
    return UNREADABLE;
  }
  const values: Derivation[] = parts.parts.flatMap(
    (part) => readPart(reading, part)?.columns.map(({ value }) => value) ?? [],
  );
  const mentioned: Derivation = { ...NOTHING, plain: false, origins: reading.findings.mentioned };
  return {
    result: either([...values, mentioned, ...reading.findings.routineResults]),
    hasEffects: parts.hasEffects || reading.findings.uses.some((use) => use.clause.startsWith('a call of')),
  };
}

function partsOf({ language, source }: CatalogRoutine): BodyParts | undefined {
  if (language === 'sql') return sqlParts(source);
  return language === 'plpgsql' ? keptPlpgsqlParts(source) : undefined;
}
