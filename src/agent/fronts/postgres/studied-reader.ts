import { DEFAULT_MAX_BYTES, type SqlReading } from '../../../protocols/postgres/facts/analyze.js';
import type { SqlReader } from '../../../protocols/postgres/session-options.js';
import { isReadingKept, keepReading, sqlReader } from '../../../protocols/postgres/sql-reader.js';
import type { TextStudy } from './text-study.js';

/** A text of that many characters takes a few milliseconds. */
const LARGE_CHARS = 64 << 10;
/** Readings of large texts that a session remembers: of those that run, what runs next and what ran last. */
const KEPT = 4;

export interface StudiedReader {
  readonly sql: SqlReader;
  /** Reads a large text in another thread; afterwards `sql.read` of it is a look-up. */
  study(text: string): Promise<void>;
}

/** One session's reader of SQL. */
export function studiedReader(study: TextStudy): StudiedReader {
  const known = new Map<string, SqlReading>();
  return {
    sql: {
      ...sqlReader,
      read: (text) => (text.length > LARGE_CHARS ? known.get(text) : undefined) ?? sqlReader.read(text),
      // What is over the bound is not read at all.
      needsStudy: (text) =>
        text.length > LARGE_CHARS && text.length <= DEFAULT_MAX_BYTES && !known.has(text) && !isReadingKept(text),
    },
    study: async (text) => {
      const reading = await study.read(text);
      keepReading(text, reading);
      known.set(text, reading);
      const [oldest] = known.keys();
      if (known.size > KEPT && oldest !== undefined) known.delete(oldest);
    },
  };
}
