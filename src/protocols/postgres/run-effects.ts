/** What a run may do to the names that its session holds. */
import type { SqlFacts } from '../../policy/types.js';
import type { Run } from './run.js';

/** Effects of statements that may end a transaction or run what nobody sees. */
const CLOSERS: ReadonlySet<string> = new Set(['commit', 'rollback', 'do', 'call', 'dynamic', 'discard', 'execute']);

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

/** May it close a portal, or leave a cursor under the name of one? Routines may, by way of a refcursor. */
export function mayClosePortals({ text, facts }: Run): boolean {
  return (
    facts.opaque ||
    facts.uses?.hiddenCursors === true ||
    facts.effects.some((effect) => CLOSERS.has(effect)) ||
    facts.functions.some((name) => name.includes('.') && !name.startsWith('pg_catalog.')) ||
    /\b(?:close|declare)\b/i.test(text)
  );
}
