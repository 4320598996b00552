import type { SqlFacts } from '../../../policy/types.js';
import type { Catalog, NameLookup } from '../catalog/types.js';
import { Completion } from './completion.js';
import { AT_EVENT_TRIGGERS } from './effects.js';

const known = new WeakMap<Catalog, WeakMap<NameLookup, WeakMap<SqlFacts, SqlFacts>>>();

/**
 * The facts with all that the catalogue adds: names get their schema, views add the tables behind them, calls add
 * what the bodies of routines do, writes add triggers, rules, defaults and cascades. A name that could stand for
 * several objects stands for all of them; one that stands for none stays as it is, and the server will say so.
 *
 * @returns the same object for the same three
 */
export function completeFacts(facts: SqlFacts, catalog: Catalog, lookup: NameLookup): SqlFacts {
  if (!needsCatalog(facts)) return facts;
  let byLookup = known.get(catalog);
  if (byLookup === undefined) known.set(catalog, (byLookup = new WeakMap()));
  let byFacts = byLookup.get(lookup);
  if (byFacts === undefined) byLookup.set(lookup, (byFacts = new WeakMap()));
  let found = byFacts.get(facts);
  if (found === undefined) byFacts.set(facts, (found = new Completion(catalog).of(facts, lookup)));
  return found;
}

/** Can a catalogue add to them? Plain BEGIN, SET or SELECT 1 need none. */
export function needsCatalog(facts: SqlFacts): boolean {
  return (
    facts.uses !== undefined ||
    facts.reads.length > 0 ||
    facts.writes.length > 0 ||
    facts.effects.some((effect) => AT_EVENT_TRIGGERS.has(effect))
  );
}
