import { type Line, type Piece, piece, type Tone } from './lines.js';

/** One token of SQL text, as far as showing it needs to tell tokens apart; nothing is decided by it. */
interface Token {
  readonly kind: 'word' | 'number' | 'string' | 'comment' | 'parameter' | 'space' | 'other';
  readonly text: string;
}

const KEYWORDS = new Set(
  `add all alter analyze and any array as asc begin between by call cascade case cast check column commit conflict constraint
copy create cross current database default delete desc distinct do drop else end except execute exists explain extension
false fetch filter for foreign from full function grant group having if in index inner insert intersect into is join key
lateral left like limit lock materialized merge natural not nothing null offset on only or order outer over partition
policy prepare primary procedure references refresh rename replace returning revoke right role rollback row rows schema
select sequence set share show table temp temporary then to trigger true truncate union unique update user using vacuum
values view when where window with`.split(/\s+/),
);

/** Words that change or remove: what a reviewer's eye should find first. */
const CHANGING = new Set(
  'alter call copy create delete do drop execute grant insert merge revoke truncate update'.split(' '),
);

/** Clauses that begin a row where a statement was written in one. */
const CLAUSES = new Set(
  `from where set values returning order group having limit offset union intersect except join left right inner full cross
using window`.split(/\s+/),
);
const CONDITIONS = new Set(['and', 'or']);

/**
 * One alternative for each kind of token; the last takes any character, so that nothing is ever lost. A string or
 * comment without an end goes to the end of the text.
 *
 * @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 */
const TOKEN = new RegExp(
  [
    String.raw`(?<space>\s+)`,
    String.raw`(?<line>--[^\n]*)`,
    String.raw`(?<string>[eE]'(?:[^'\\]|\\[^]|'')*(?:'|$)|(?:[uU]&|[bBxXnN])?'(?:[^']|'')*(?:'|$))`,
    String.raw`(?<quoted>(?:[uU]&)?"(?:[^"]|"")*(?:"|$))`,
    String.raw`(?<dollar>\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)`,
    String.raw`(?<parameter>\$\d+)`,
    String.raw`(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)`,
    String.raw`(?<number>\d[\w.]*)`,
    String.raw`(?<block>\/\*)`,
    String.raw`(?<other>[^])`,
  ].join('|'),
  'y',
);

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  const pattern = new RegExp(TOKEN);
  while (pattern.lastIndex < text.length) {
    const from = pattern.lastIndex;
    const groups = pattern.exec(text)?.groups ?? {};
    const kind = kindOf(groups);
    if (groups['block'] !== undefined) pattern.lastIndex = commentEnd(text, from);
    const tag = groups['dollar'];
    if (tag !== undefined) {
      const end = text.indexOf(tag, pattern.lastIndex);
      pattern.lastIndex = end === -1 ? text.length : end + tag.length;
    }
    tokens.push({ kind, text: text.slice(from, pattern.lastIndex) });
  }
  return tokens;
}

function kindOf(groups: Readonly<Record<string, string | undefined>>): Token['kind'] {
  if (groups['space'] !== undefined) return 'space';
  if (groups['line'] !== undefined || groups['block'] !== undefined) return 'comment';
  if (groups['string'] !== undefined || groups['dollar'] !== undefined) return 'string';
  if (groups['parameter'] !== undefined) return 'parameter';
  if (groups['word'] !== undefined) return 'word';
  return groups['number'] === undefined ? 'other' : 'number';
}

/** One past the end of a block comment; PostgreSQL's nest. */
function commentEnd(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    const two = text.slice(at, at + 2);
    if (two === '/*') depth += 1;
    else if (two === '*/') depth -= 1;
    else continue;
    at += 1;
    if (depth === 0) return at + 1;
  }
  return text.length;
}

function toneOf({ kind, text }: Token): Tone {
  switch (kind) {
    case 'word': {
      const word = text.toLowerCase();
      if (CHANGING.has(word)) return 'red';
      return KEYWORDS.has(word) ? 'cyan' : 'plain';
    }
    case 'string':
      return 'green';
    case 'number':
      return 'yellow';
    case 'parameter':
      return 'magenta';
    case 'comment':
      return 'dim';
    default:
      return 'plain';
  }
}

/** Longer texts are shown without colours: making them out would take longer than a key may. */
const MAX_COLOURED = 200_000;

/**
 * SQL as lines with colours. Every character is there, in its order; only where a statement was written in one line,
 * white space before a clause becomes the end of a row (`formatted`).
 */
export function sqlLines(text: string, options: { readonly formatted: boolean }): readonly Line[] {
  if (text.length > MAX_COLOURED) return text.split('\n').map((one) => [piece(one)]);
  const tokens = tokensOf(text);
  return rowsOf(options.formatted && !text.trim().includes('\n') ? withBreaks(tokens) : tokens);
}

/** Turns white space into line ends before clauses, and before `and` and `or` with an indent. */
function withBreaks(tokens: readonly Token[]): readonly Token[] {
  let depth = 0;
  let before = '';
  return tokens.map((token, index) => {
    if (token.text === '(') depth += 1;
    if (token.text === ')') depth -= 1;
    const next = tokens[index + 1];
    if (token.kind !== 'space' || index === 0 || next?.kind !== 'word') {
      if (token.kind !== 'space') before = token.text.toLowerCase();
      return token;
    }
    const word = next.text.toLowerCase();
    if (word === 'and' && wasBetween(tokens, index)) return token;
    if (CONDITIONS.has(word)) return lineEnd(depth + 1);
    return CLAUSES.has(word) && !JOINED.has(`${before} ${word}`) ? lineEnd(depth) : token;
  });
}

/** Pairs that read as one: no row begins between them. */
const JOINED = new Set(
  `delete from|left join|right join|inner join|full join|cross join|left outer|right outer|full outer|outer join|natural join
|natural left|natural right|natural inner|distinct from|extract from|do update|update set|for update`
    .replace(/\s*\n\s*/g, '')
    .split('|'),
);

/** Is this `and` the one of a `between`? */
function wasBetween(tokens: readonly Token[], at: number): boolean {
  for (let index = at - 1; index >= 0; index -= 1) {
    const word = tokens[index]?.text.toLowerCase();
    if (word === 'between') return true;
    if (word === 'and' || word === 'or' || word === 'where' || word === '(' || word === ')') return false;
  }
  return false;
}

function lineEnd(indent: number): Token {
  return { kind: 'space', text: `\n${'  '.repeat(Math.min(8, Math.max(0, indent)))}` };
}

function rowsOf(tokens: readonly Token[]): readonly Line[] {
  const rows: Piece[][] = [[]];
  for (const token of tokens) {
    const tone = toneOf(token);
    for (const [index, part] of token.text.split('\n').entries()) {
      if (index > 0) rows.push([]);
      // A tab takes as many cells as the terminal likes; here it is two.
      if (part !== '') rows.at(-1)?.push(piece(token.kind === 'space' ? part.replaceAll('\t', '  ') : part, tone));
    }
  }
  return rows;
}
