import type { ColumnPattern } from '../core/mask.js';

const PART = /^(?:\*|[\p{L}_][\p{L}\p{N}_$]*)$/u;

/**
 * Reads `[schema.]table.column`. `*` stands for one whole part; unquoted parts fold to lower case as
 * PostgreSQL folds them; `"Quoted"` parts keep their case and may hold dots. A schema left out is `*`.
 *
 * @returns undefined where the text is no such pattern
 */
export function parseColumnPattern(text: string): ColumnPattern | undefined {
  const parts = splitParts(text);
  if (parts === undefined || parts.length < 2 || parts.length > 3) return undefined;
  const [column, table, schema] = parts.reverse() as [string, string, string | undefined];
  return { schema: schema ?? '*', table, column };
}

function splitParts(text: string): string[] | undefined {
  const parts: string[] = [];
  let rest = text;
  for (;;) {
    const quoted = /^"((?:[^"]|"")+)"/.exec(rest);
    const raw = quoted === null ? (/^[^."]+/.exec(rest)?.[0] ?? '') : quoted[0];
    const part = quoted === null ? plainPart(raw) : quotedPart(quoted[1] ?? '');
    if (part === undefined) return undefined;
    parts.push(part);
    rest = rest.slice(raw.length);
    if (rest === '') return parts;
    if (!rest.startsWith('.')) return undefined;
    rest = rest.slice(1);
  }
}

/** Only A–Z fold: in a UTF-8 database PostgreSQL leaves every other letter as it is. */
function plainPart(raw: string): string | undefined {
  return PART.test(raw) ? raw.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) : undefined;
}

/** A column really called `*` can't be told from the wildcard afterwards, so it is refused. */
function quotedPart(inner: string): string | undefined {
  const name = inner.replaceAll('""', '"');
  return name === '*' ? undefined : name;
}
