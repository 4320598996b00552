import type { SqlFacts } from '../../../policy/types.js';
import { Findings, settledWrites } from './findings.js';
import type { SqlReading } from './read-sql.js';

/**
 * The facts of a message together with those of the prepared statements that it executes.
 *
 * @param remembered facts of a prepared statement; undefined where the name is not known, which is opaque
 */
export function withPrepared(reading: SqlReading, remembered: (name: string) => SqlFacts | undefined): SqlFacts {
  let facts = reading.facts;
  for (const name of reading.executes) {
    const known = remembered(name);
    facts = known === undefined ? opaque(facts, 'EXECUTE of a statement that is not known') : mergeFacts(facts, known);
  }
  return facts;
}

/** `facts` with everything that `more` does added; text, parameters and statement count stay. */
export function mergeFacts(facts: SqlFacts, more: SqlFacts): SqlFacts {
  const total = new Findings();
  for (const part of [facts, more]) {
    for (const effect of part.effects) total.effects.add(effect);
    for (const name of part.functions) total.functions.add(name);
    for (const kind of settledWrites(part)) total.unqualified.add(kind);
    for (const name of part.reads) total.reads(name);
    for (const name of part.writes) total.writes(name);
    if (part.uses !== undefined) total.uses.absorb(part.uses);
    if (part.opaque) total.opaque(part.opaqueReason);
  }
  total.statements = facts.statements;
  return { ...facts, ...total.toFacts(facts.text), params: facts.params };
}

function opaque(facts: SqlFacts, reason: string): SqlFacts {
  return facts.opaque ? facts : { ...facts, opaque: true, opaqueReason: reason };
}
