import createGrammar from 'libpg-query/wasm/libpg-query.js';
import type { GrammarInstance } from 'libpg-query/wasm/libpg-query.js';
import { isNode, listAt } from './tree.js';
import type { TreeNode } from './tree.js';

/**
 * PostgreSQL's own parser, made safe to feed with anything.
 *
 * Text nested too deeply overflows the stack inside WebAssembly. The overflow unwinds by an
 * exception that the C code knows nothing of, so its stack pointer stays where it was; after some
 * thirty of them an instance hangs for ever. Therefore an instance that threw is thrown away and a
 * spare takes its place.
 */

const SPARES = 2;
/** Memory of an instance never shrinks: one that grew over this is replaced. The start is 128 MiB. */
const MAX_INSTANCE_BYTES = 320 * 1024 * 1024;
/** Size of the tree as JSON text; guards the memory of this process, about ten times that. */
const MAX_TREE_BYTES = 96 * 1024 * 1024;

/** `refused`: the grammar's own syntax error, position in characters from 1. `failed`: it could not be read. */
export type Parsed =
  | { readonly kind: 'tree'; readonly tree: TreeNode }
  | { readonly kind: 'refused'; readonly message: string; readonly position: number }
  | { readonly kind: 'failed'; readonly reason: string };

const TOO_LONG: Parsed = { kind: 'failed', reason: 'operator characters or comments that take too long to read' };

const ready: GrammarInstance[] = [];
let filling: Promise<void> | undefined;

/** Makes the parser ready; resolves at once where it is. Wait for it again when facts say it is starting. */
export async function loadGrammar(): Promise<void> {
  while (ready.length === 0) await fill();
}

/** Can a text be parsed now? What was read while it could not be says nothing of the text. */
export function isGrammarReady(): boolean {
  return ready.length > 0;
}

function fill(): Promise<void> {
  filling ??= createGrammar().then(
    (instance) => {
      ready.push(instance);
      filling = undefined;
      // A spare that fails to start is tried again when it is needed.
      if (ready.length <= SPARES) fill().catch(() => undefined);
    },
    (error: unknown) => {
      filling = undefined;
      throw error;
    },
  );
  return filling;
}

/** Sum of the squares of runs of operator characters: about 0.1 s of the lexer's time. */
const MAX_RUN_COST = 4e7;

/**
 * PostgreSQL's lexer reads a run of operator characters (which `/` and `*` are) again from each
 * comment or sign that starts in it: 400 KB of nested empty comments take two minutes.
 */
function takesTooLong(text: string): boolean {
  let cost = 0;
  for (const [run] of text.matchAll(/[~!@#^&|`?+\-*/%<>=]{64,}/g)) {
    // A ruled line of one character is a comment, a string's content or an error at once.
    if (run[0] !== '+' && run === (run[0] ?? '').repeat(run.length)) continue;
    cost += run.length ** 2;
    if (cost > MAX_RUN_COST) return true;
  }
  return false;
}

/** Parses one message of SQL: `{ stmts: [{ stmt, stmt_location, stmt_len }] }`, places in bytes of UTF-8. */
export function parseSql(text: string): Parsed {
  return withText(text, (grammar, pointer) => {
    const result = grammar._wasm_parse_query_raw(pointer);
    if (result === 0) return { kind: 'failed', reason: 'the parser ran out of memory' };
    try {
      const error = grammar.getValue(result + 8, 'i32');
      if (error !== 0) return refusal(grammar, error);
      return treeAt(grammar, grammar.getValue(result, 'i32'));
    } finally {
      grammar._wasm_free_parse_result(result);
    }
  });
}

/**
 * Parses the PL/pgSQL body of one CREATE FUNCTION, CREATE PROCEDURE or DO statement.
 *
 * @param body the same body without its quotes: escapes may hide what takes long
 */
export function parsePlpgsql(statement: string, body: string): Parsed {
  if (takesTooLong(body)) return TOO_LONG;
  const parsed = withText(statement, (grammar, pointer) => {
    const result = grammar._wasm_parse_plpgsql(pointer);
    if (result === 0) return { kind: 'failed', reason: 'the parser ran out of memory' };
    try {
      // Anything but an object is an error's text.
      if (grammar.HEAPU8[result] !== 0x7b) return { kind: 'failed', reason: 'a body that does not parse' };
      return treeAt(grammar, result);
    } finally {
      grammar._wasm_free_string(result);
    }
  });
  if (parsed.kind === 'tree' && listAt(parsed.tree, 'plpgsql_funcs').length !== 1) {
    return { kind: 'failed', reason: 'a body that does not parse' };
  }
  return parsed;
}

function withText(text: string, parse: (grammar: GrammarInstance, pointer: number) => Parsed): Parsed {
  if (takesTooLong(text)) return TOO_LONG;
  const grammar = ready[0];
  if (grammar === undefined) return { kind: 'failed', reason: 'the parser is starting' };
  try {
    const bytes = grammar.lengthBytesUTF8(text) + 1;
    const pointer = grammar._malloc(bytes);
    if (pointer === 0) throw new RangeError('no memory');
    grammar.stringToUTF8(text, pointer, bytes);
    const parsed = parse(grammar, pointer);
    grammar._free(pointer);
    if (grammar.HEAPU8.length > MAX_INSTANCE_BYTES) retire(grammar);
    return parsed;
  } catch {
    retire(grammar);
    return { kind: 'failed', reason: 'nested too deeply or too large to parse' };
  }
}

function retire(grammar: GrammarInstance): void {
  const at = ready.indexOf(grammar);
  if (at >= 0) ready.splice(at, 1);
  // A failure to start shows as "the parser is starting": nothing is read, so nothing passes.
  fill().catch(() => undefined);
}

/** Layout of PgQueryError: message, function, file, line, cursor position, context; 4 bytes each. */
function refusal(grammar: GrammarInstance, error: number): Parsed {
  const message = grammar.UTF8ToString(grammar.getValue(error, 'i32'));
  if (/^(memory exhausted|out of memory|stack depth)/.test(message)) {
    return { kind: 'failed', reason: 'nested too deeply or too large to parse' };
  }
  return { kind: 'refused', message, position: Math.max(1, grammar.getValue(error + 16, 'i32')) };
}

function treeAt(grammar: GrammarInstance, pointer: number): Parsed {
  const end = pointer === 0 ? -1 : grammar.HEAPU8.indexOf(0, pointer);
  if (end < 0 || end - pointer > MAX_TREE_BYTES) return { kind: 'failed', reason: 'a syntax tree too large to read' };
  const tree: unknown = JSON.parse(grammar.UTF8ToString(pointer));
  return isNode(tree) ? { kind: 'tree', tree } : { kind: 'failed', reason: 'a syntax tree that cannot be read' };
}
