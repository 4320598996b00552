import type { Facts, SqlFacts } from '../../../policy/types.js';
import type { HeldStatement, Question } from '../../../protocols/contract.js';
import type { Catalog, NameLookup } from '../../../protocols/postgres/catalog/types.js';
import { boundTo, completeFacts } from '../../../protocols/postgres/facts/analyze.js';

/** The facts of a question with all that the catalogue adds, and what is the same of them whatever is bound. */
export function completeQuestion(
  question: Question,
  sql: SqlFacts,
  catalog: Catalog,
  lookup: NameLookup,
): { readonly facts: Facts; readonly basis: SqlFacts } {
  const basis = completeFacts(question.basis as SqlFacts, catalog, lookup);
  return { facts: { sql: question.basis === sql ? basis : boundTo(basis, sql) }, basis };
}

/** A held statement with all that the catalogue adds to its facts. */
export function completeHeld(held: HeldStatement, catalog: Catalog, lookup: NameLookup): HeldStatement {
  const facts = completeFacts(held.basis, catalog, lookup);
  return { ...held, facts };
}
