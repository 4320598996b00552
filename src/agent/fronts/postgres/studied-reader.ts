import { DEFAULT_MAX_BYTES, type SqlReading } from '../../../protocols/postgres/facts/analyze.js';
import { copyFormatOf } from '../../../protocols/postgres/facts/copy-format.js';
import { OUTLINED_CHARS, type Outline } from '../../../protocols/postgres/facts/outline.js';
import type { SqlReader } from '../../../protocols/postgres/opening/session-options.js';
import { isReadingKept, keepReading, sqlReader } from '../../../protocols/postgres/statements/sql-reader.js';
import type { TextStudy } from './text-study.js';

/** Readings of large texts that a session remembers: of those that run, what runs next and what ran last. */
const KEPT = 4;

export interface StudiedReader {
  readonly sql: SqlReader;
  /** Reads a large text in another thread; afterwards `sql.read` of it is a look-up. */
  study(text: string): Promise<void>;
  /** What the study of a large text left of its tree, which must not be made here; undefined for other texts. */
  outline(text: string): Outline | 'unknown' | undefined;
}

/** One session's reader of SQL. */
export function studiedReader(study: TextStudy): StudiedReader {
  const known = new Map<string, SqlReading>();
  const read = (text: string): SqlReading =>
    (text.length > OUTLINED_CHARS ? known.get(text) : undefined) ?? sqlReader.read(text);
  return {
    sql: {
      ...sqlReader,
      read,
      // What is over the bound is not read at all.
      needsStudy: (text) =>
        text.length > OUTLINED_CHARS && text.length <= DEFAULT_MAX_BYTES && !known.has(text) && !isReadingKept(text),
      copyFormat: (text) => {
        if (text.length <= OUTLINED_CHARS) return sqlReader.copyFormat(text);
        const { outline } = read(text);
        return outline && copyFormatOf(outline.tree);
      },
    },
    study: async (text) => {
      const reading = await study.read(text);
      keepReading(text, reading);
      known.set(text, reading);
      const [oldest] = known.keys();
      if (known.size > KEPT && oldest !== undefined) known.delete(oldest);
    },
    outline: (text) => (text.length > OUTLINED_CHARS ? (read(text).outline ?? 'unknown') : undefined),
  };
}
