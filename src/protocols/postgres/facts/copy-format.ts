import type { CopyFormat } from '../copy/copy-format.js';
import { parseSql } from './grammar.js';
import { inside, listAt, literalIn, textAt, type TreeNode } from './tree.js';

const TEXT: CopyFormat = { kind: 'text', delimiter: 0x09, quote: 0x22, escape: 0x22, nullText: '\\N', header: false };
const CSV: CopyFormat = { kind: 'csv', delimiter: 0x2c, quote: 0x22, escape: 0x22, nullText: '', header: false };

/**
 * How the COPY … TO STDOUT in a text writes its rows. Undefined when there is none, more than one,
 * or an option that can't be told from the text.
 */
export function copyFormatIn(text: string): CopyFormat | undefined {
  const parsed = parseSql(text);
  return parsed.kind === 'tree' ? copyFormatOf(parsed.tree) : undefined;
}

/** The same, of a tree that is known. */
export function copyFormatOf(tree: TreeNode): CopyFormat | undefined {
  const copies = listAt(tree, 'stmts').flatMap((raw) => {
    const copy = inside((raw as TreeNode)['stmt'], 'CopyStmt');
    return copy === undefined || copy['is_from'] === true ? [] : [copy];
  });
  const [copy] = copies;
  return copies.length === 1 && copy !== undefined ? formatOf(copy) : undefined;
}

function formatOf(copy: TreeNode): CopyFormat | undefined {
  const options = new Map<string, string>();
  for (const item of listAt(copy, 'options')) {
    const option = inside(item, 'DefElem');
    if (option === undefined) return undefined;
    const value = optionText(option['arg']);
    options.set(textAt(option, 'defname'), value);
  }
  const kind = options.get('format') ?? 'text';
  if (kind === 'binary') return { ...TEXT, kind: 'binary' };
  if (kind !== 'text' && kind !== 'csv') return undefined;
  const base = kind === 'csv' ? CSV : TEXT;
  const delimiter = byteOf(options.get('delimiter'), base.delimiter);
  const quote = byteOf(options.get('quote'), base.quote);
  const escape = byteOf(options.get('escape'), quote ?? base.escape);
  if (delimiter === undefined || quote === undefined || escape === undefined) return undefined;
  const encoding = options.get('encoding');
  return {
    kind,
    delimiter,
    quote,
    escape,
    nullText: options.get('null') ?? base.nullText,
    header: options.has('header') && !OFF.has((options.get('header') ?? '').toLowerCase()),
    ...(encoding === undefined ? {} : { encoding }),
  };
}

/** Everything else that the server takes switches it on. */
const OFF: ReadonlySet<string> = new Set(['false', 'off', '0']);

function optionText(value: unknown): string {
  const string = inside(value, 'String');
  if (string !== undefined) return textAt(string, 'sval');
  const literal = literalIn(value);
  if (literal !== undefined) return String(literal.value);
  const integer = inside(value, 'Integer')?.['ival'];
  return typeof integer === 'number' ? String(integer) : '';
}

/** The server takes a single one-byte character. */
function byteOf(text: string | undefined, byDefault: number): number | undefined {
  if (text === undefined) return byDefault;
  const code = text.charCodeAt(0);
  return text.length === 1 && code < 0x80 ? code : undefined;
}
