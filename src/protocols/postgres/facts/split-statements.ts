import { parse } from 'libpg-query';

/** One statement of a longer text. */
export interface StatementText {
  /** Without white space around it and without its semicolon; comments before it stay. */
  readonly text: string;
  /** UTF-16 units of the whole text before it. */
  readonly offset: number;
}

interface Cut {
  /** Bytes of UTF-8; left out for 0. */
  readonly stmt_location?: number;
  /** Bytes of UTF-8; left out, or 0, up to the end. */
  readonly stmt_len?: number;
}

/**
 * Cuts a text into its statements by PostgreSQL's own grammar. Text that the grammar refuses stays
 * whole: the server says what is wrong with it. Empty statements are left out.
 */
export async function splitStatements(text: string): Promise<readonly StatementText[]> {
  const cuts = await cutsOf(text);
  if (cuts === undefined) return [{ text, offset: 0 }];
  const bytes = new TextEncoder().encode(text);
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let offset = 0;
  let at = 0;
  return cuts.map(({ stmt_location: from = 0, stmt_len: length }) => {
    // Cuts come in order, so each byte is counted once.
    offset += decoder.decode(bytes.subarray(at, from)).length;
    at = from;
    const raw = decoder.decode(bytes.subarray(from, length === undefined || length === 0 ? undefined : from + length));
    const trimmed = raw.trimStart();
    return { text: trimmed.trimEnd(), offset: offset + raw.length - trimmed.length };
  });
}

async function cutsOf(text: string): Promise<readonly Cut[] | undefined> {
  // The parser reads no further than a NUL, and would lose what follows.
  if (text.includes('\0')) return undefined;
  try {
    return ((await parse(text)) as { readonly stmts?: readonly Cut[] }).stmts ?? [];
  } catch {
    return undefined;
  }
}
