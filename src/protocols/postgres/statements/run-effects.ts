/** What a run may do to the names that its session holds. */
import type { SqlFacts } from '../../../policy/types.js';
import type { Run } from './run.js';

/** Effects of statements that run what nobody sees, or is looked up then. */
const UNSEEN: ReadonlySet<string> = new Set(['do', 'call', 'dynamic', 'execute']);
/** Effects of statements that may end a transaction. */
const ENDS: ReadonlySet<string> = new Set(['commit', 'rollback', 'discard']);

/** Does it show a plan? */
export function explains({ effects }: SqlFacts): boolean {
  return effects.includes('explain');
}

/** Does the server keep a text, or what is bound to it, for a later statement to run? */
export function keepsText({ effects }: SqlFacts): boolean {
  return effects.includes('prepare') || effects.includes('cursor');
}

/** Does it run code that nobody can read? It may prepare and deallocate statements. */
export function isUnread({ facts }: Run): boolean {
  return facts.opaque || facts.effects.includes('dynamic');
}

/** May it leave a cursor? Routines may, by way of a refcursor. */
export function mayOpenCursors({ text, facts }: Run): boolean {
  return (
    facts.opaque ||
    facts.uses?.hiddenCursors === true ||
    facts.effects.some((effect) => UNSEEN.has(effect)) ||
    facts.functions.some((name) => name.includes('.') && !name.startsWith('pg_catalog.')) ||
    /\bdeclare\b/i.test(text)
  );
}

/** May it close a portal, or leave a cursor under the name of one? */
export function mayClosePortals(run: Run): boolean {
  return mayOpenCursors(run) || run.facts.effects.some((effect) => ENDS.has(effect)) || /\bclose\b/i.test(run.text);
}
