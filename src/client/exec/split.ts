import { parse } from 'libpg-query';
import type { ScriptStatement } from './sql-error.js';

/**
 * Cuts a script into its statements by PostgreSQL's own grammar. Text that the grammar refuses stays
 * whole: the server says what is wrong with it.
 */
export async function splitScript(script: string): Promise<readonly ScriptStatement[]> {
  const bytes = new TextEncoder().encode(script);
  const decoder = new TextDecoder();
  let cuts: readonly { readonly stmt_location?: number; readonly stmt_len?: number }[];
  try {
    // Text after a NUL would be ignored by the parser.
    if (script.includes('\0')) return [{ text: script, offset: 0 }];
    cuts = ((await parse(script)) as { stmts?: typeof cuts }).stmts ?? [];
  } catch {
    return [{ text: script, offset: 0 }];
  }
  return cuts.map(({ stmt_location: from = 0, stmt_len: length }) => {
    const raw = decoder.decode(bytes.subarray(from, length === undefined || length === 0 ? undefined : from + length));
    const text = raw.trimStart();
    return { text: text.trimEnd(), offset: decoder.decode(bytes.subarray(0, from)).length + raw.length - text.length };
  });
}
