import type { SqlFacts } from '../../../policy/types.js';
import { readSql } from './read-sql.js';
import type { AnalyzeOptions, SqlReading } from './read-sql.js';

/** Readings by exact text; the least recently used go first. Drivers send the same few texts over and over. */
export interface FactCache {
  read(text: string, options?: AnalyzeOptions): SqlReading;
  /** Bytes held, as reckoned. */
  readonly bytes: number;
}

/**
 * @param limitBytes memory it may hold, reckoned by text and names; a text of more than an eighth is
 * read and not kept
 */
export function createFactCache(limitBytes: number): FactCache {
  const held = new Map<
    string,
    { readonly reading: SqlReading; readonly bytes: number; readonly maxBytes: number | undefined }
  >();
  let bytes = 0;
  return {
    get bytes(): number {
      return bytes;
    },
    read(text, options = {}) {
      const known = held.get(text);
      if (known !== undefined && known.maxBytes === options.maxBytes) {
        held.delete(text);
        held.set(text, known);
        return known.reading;
      }
      const reading = readSql(text, options);
      const cost = costOf(reading);
      // A parser that was starting again says nothing of the text.
      if (
        cost * 8 > limitBytes ||
        (reading.facts.opaque && reading.facts.syntaxError === undefined && reading.facts.kind === 'other')
      )
        return reading;
      if (known !== undefined) bytes -= known.bytes;
      held.delete(text);
      held.set(text, { reading, bytes: cost, maxBytes: options.maxBytes });
      bytes += cost;
      for (const [oldest, entry] of held) {
        if (bytes <= limitBytes) break;
        held.delete(oldest);
        bytes -= entry.bytes;
      }
      return reading;
    },
  };
}

/** Two bytes a character and the objects around them. */
function costOf(reading: SqlReading): number {
  const names = (facts: SqlFacts): number => facts.reads.length + facts.writes.length + facts.functions.length;
  const all = [reading.facts, ...reading.prepared.map((one) => one.facts)];
  return (
    600 +
    2 * reading.facts.text.length +
    all.reduce((sum, facts) => sum + 400 + 160 * names(facts), 0) +
    120 * reading.settings.length
  );
}
