/** Statements with which others run that came before: fetched from, or put off to the end of the transaction. */
import type { Run } from '../statements/run.js';

/** Do triggers that waited run with it? */
export function endsTransaction({ text, facts: { effects } }: Run): boolean {
  return effects.includes('commit') || (effects.includes('set') && /\bconstraints\b/i.test(text));
}

/** May it run a cursor: by name, at the end of a transaction, or by way of a routine or trigger? */
export function mayFetch({ facts: { effects, functions, writes, opaque } }: Run): boolean {
  return (
    opaque ||
    writes.length > 0 ||
    effects.some((effect) => FETCHING.has(effect)) ||
    functions.some((name) => name.includes('.') && !name.startsWith('pg_catalog.'))
  );
}

/** Does it fetch from a cursor, or run code that may? */
export function fetchesByName({ facts: { effects, opaque } }: Run): boolean {
  return opaque || effects.some((effect) => RUNNING.has(effect));
}

const RUNNING: ReadonlySet<string> = new Set(['cursor', 'do', 'call', 'dynamic']);
const FETCHING: ReadonlySet<string> = new Set(['cursor', 'commit', 'do', 'call', 'execute', 'dynamic']);

/** Does it run code that may give the name of a cursor or of a prepared statement to another, out of sight? */
export function renamesUnseen({ facts: { opaque, effects, uses } }: Run): boolean {
  return opaque || uses?.hiddenCursors === true || effects.includes('dynamic');
}
