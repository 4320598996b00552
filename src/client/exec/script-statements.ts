import { loadGrammar } from '../../protocols/postgres/facts/grammar.js';
import { splitStatements, type StatementText } from '../../protocols/postgres/facts/split.js';

/**
 * Cuts a script into its statements by PostgreSQL's own grammar. Text that the grammar refuses stays whole: the
 * server says what is wrong with it.
 */
export async function scriptStatements(script: string): Promise<readonly StatementText[]> {
  await loadGrammar();
  const statements = splitStatements(script);
  return 'code' in statements ? [{ text: script, start: 0 }] : statements;
}
