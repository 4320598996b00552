import type { SqlFacts } from '../../../policy/types.js';
import { withPrepared } from './prepared.js';
import { readSql } from './read-sql.js';
import type { AnalyzeOptions, SqlReading } from './read-sql.js';

/** The door of this room: everything other rooms use stands here. */
export { completeFacts, needsCatalog } from './complete.js';
export { boundTo } from './bound-facts.js';
export { joinedRenames, MAX_RENAMES } from './renames.js';
export { createFactCache } from './fact-cache.js';
export type { FactCache } from './fact-cache.js';
export { READ_OTHERWISE, type SettingChange } from './findings.js';
export { loadGrammar } from './grammar.js';
export { functionCallFacts, startupSettingFacts } from './message-facts.js';
export { mergeFacts, withPrepared } from './prepared.js';
export { DEFAULT_MAX_BYTES, readSql, unread } from './read-sql.js';
export type { AnalyzeOptions, SqlReading } from './read-sql.js';
export { splitStatements } from './split.js';
export type { StatementText } from './split.js';

/**
 * Facts of one SQL message, by PostgreSQL's own grammar. Never throws: what can't be read is opaque.
 *
 * An EXECUTE of a statement that the same message does not prepare is opaque here; a session that
 * remembers prepared statements uses `readSql` and `withPrepared` instead.
 *
 * @param options.maxBytes larger texts are opaque, unread
 */
export function analyze(text: string, options: AnalyzeOptions = {}): SqlFacts {
  return withPrepared(readSql(text, options), () => undefined);
}

/** Statements prepared by this text, in order, each with the facts of its inside. */
export function preparedIn(text: string): SqlReading['prepared'] {
  return readSql(text).prepared;
}

/** Names that this text runs by EXECUTE without having prepared them. */
export function executesIn(text: string): readonly string[] {
  return readSql(text).executes;
}

/** Names that this text forgets by DEALLOCATE; `*` for all. */
export function deallocatesIn(text: string): readonly string[] {
  return readSql(text).deallocates;
}

/** Settings that this text changes. */
export function settingsIn(text: string): SqlReading['settings'] {
  return readSql(text).settings;
}
