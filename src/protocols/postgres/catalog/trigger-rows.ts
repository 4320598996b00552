import { listCell, numberCell, textCell, type Row } from './cells.js';
import type { CatalogTrigger } from './types.js';

/** @see https://www.postgresql.org/docs/current/catalog-pg-trigger.html (tgtype: bits of `catalog/pg_trigger.h`) */
const TRIGGER_EVENTS = [
  [4, 'insert'],
  [8, 'delete'],
  [16, 'update'],
  [32, 'truncate'],
] as const;

/** A row of the query for triggers. */
export function triggerOf(row: Row): CatalogTrigger {
  const bits = numberCell(row, 3);
  return {
    name: textCell(row, 1),
    routine: numberCell(row, 2),
    transitions: listCell(row[4] ?? null).filter((name) => typeof name === 'string'),
    events: TRIGGER_EVENTS.flatMap(([bit, event]) => ((bits & bit) === 0 ? [] : [event])),
  };
}
