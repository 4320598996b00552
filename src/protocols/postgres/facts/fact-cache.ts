import type { SqlFacts } from '../../../policy/types.js';
import { readSql } from './read-sql.js';
import type { AnalyzeOptions, SqlReading } from './read-sql.js';

/** Readings by exact text; the least recently used go first. Drivers send the same few texts over and over. */
export interface FactCache {
  read(text: string, options?: AnalyzeOptions): SqlReading;
  /** A reading of the text that was made elsewhere, with no bound but the default. */
  keep(text: string, reading: SqlReading): void;
  has(text: string): boolean;
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
  const put = (text: string, reading: SqlReading, maxBytes: number | undefined): void => {
    const cost = costOf(reading);
    const { opaque, syntaxError, kind } = reading.facts;
    // A parser that was starting again says nothing of the text.
    if (cost * 8 > limitBytes || (opaque && syntaxError === undefined && kind === 'other')) return;
    bytes -= held.get(text)?.bytes ?? 0;
    held.delete(text);
    held.set(text, { reading, bytes: cost, maxBytes });
    bytes += cost;
    for (const [oldest, entry] of held) {
      if (bytes <= limitBytes) break;
      held.delete(oldest);
      bytes -= entry.bytes;
    }
  };
  return {
    get bytes(): number {
      return bytes;
    },
    keep: (text, reading) => {
      put(text, reading, undefined);
    },
    has: (text) => held.has(text),
    read(text, options = {}) {
      const known = held.get(text);
      if (known !== undefined && known.maxBytes === options.maxBytes) {
        held.delete(text);
        held.set(text, known);
        return known.reading;
      }
      const reading = readSql(text, options);
      put(text, reading, options.maxBytes);
      return reading;
    },
  };
}

/** Two bytes a character and the objects around them. */
function costOf(reading: SqlReading): number {
  const names = (facts: SqlFacts): number => facts.reads.length + facts.writes.length + facts.functions.length;
  const all = [reading.facts, ...reading.prepared.map((one) => one.facts)];
  return (
    1_200 +
    2 * reading.facts.text.length +
    all.reduce((sum, facts) => sum + 900 + 160 * names(facts), 0) +
    120 * reading.settings.length +
    150 * (reading.outline?.nodes ?? 0)
  );
}
