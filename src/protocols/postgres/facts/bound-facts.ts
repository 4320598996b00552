import type { SqlFacts } from '../../../policy/types.js';

/** The part of the facts that each Bind has of its own. */
export type BoundPart = Pick<SqlFacts, 'text' | 'params'>;

/** The facts of a text with what is bound to it. Member by member: it is made for every run, and a spread costs ten times as much. */
export function boundTo(facts: SqlFacts, { text, params }: BoundPart): SqlFacts {
  return {
    text,
    kind: facts.kind,
    effects: facts.effects,
    reads: facts.reads,
    writes: facts.writes,
    functions: facts.functions,
    unqualified: facts.unqualified,
    unqualifiedWrite: facts.unqualifiedWrite,
    opaque: facts.opaque,
    opaqueReason: facts.opaqueReason,
    unbounded: facts.unbounded,
    statements: facts.statements,
    stacked: facts.stacked,
    params,
    uses: facts.uses,
    syntaxError: facts.syntaxError,
  };
}
