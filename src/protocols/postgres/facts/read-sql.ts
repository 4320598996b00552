import type { SqlFacts } from '../../../policy/types.js';
import { BODY_HANDLERS } from './bodies.js';
import { DATA_HANDLERS } from './data-statements.js';
import { DEFINITION_HANDLERS } from './definition-statements.js';
import { Findings } from './findings.js';
import type { SettingChange } from './findings.js';
import { parseSql } from './grammar.js';
import { outlineOf, type Outline } from './outline.js';
import { OverBounds } from './over-bounds.js';
import { RENAME_HANDLERS } from './renames.js';
import { SESSION_HANDLERS } from './session-statements.js';
import { statementRanges } from './split.js';
import { stackedIn } from './stacked.js';
import { isNode, listAt } from './tree.js';
import { Walk } from './walk.js';

/** Largest text read, in bytes of UTF-8, where the caller names none. */
export const DEFAULT_MAX_BYTES = 8 * 1024 * 1024;

/** What each kind of node means. */
export const HANDLERS = {
  ...DATA_HANDLERS,
  ...DEFINITION_HANDLERS,
  ...RENAME_HANDLERS,
  ...SESSION_HANDLERS,
  ...BODY_HANDLERS,
};

export interface AnalyzeOptions {
  readonly maxBytes?: number;
  /** Is the outline of its tree wanted, for those who must not parse it again? */
  readonly outline?: boolean;
}

/** Everything one message tells: its facts and what a session has to remember of it. */
export interface SqlReading {
  /** Without what the prepared statements it executes do: see `withPrepared`. */
  readonly facts: SqlFacts;
  /** Statements that PREPARE makes, in order, each with the facts of its inside. */
  readonly prepared: readonly { readonly name: string; readonly facts: SqlFacts }[];
  /** Names that EXECUTE runs and the same message did not prepare before. */
  readonly executes: readonly string[];
  /** Names that DEALLOCATE forgets; `*` for all (DISCARD ALL too). */
  readonly deallocates: readonly string[];
  readonly settings: readonly SettingChange[];
  /** Of a text read with `outline`, where it could be made. */
  readonly outline?: Outline;
}

/** Reads one message; never throws. EXECUTE is left to `withPrepared`. */
export function readSql(text: string, options: AnalyzeOptions = {}): SqlReading {
  const limit = options.maxBytes ?? DEFAULT_MAX_BYTES;
  if (isLongerThan(text, limit)) return unread(text, `over ${limit} bytes`);
  if (text.includes('\0')) return unread(text, 'a zero byte in the text');
  try {
    const parsed = text === '' ? { kind: 'tree' as const, tree: {} } : parseSql(text);
    if (parsed.kind === 'failed') return unread(text, parsed.reason);
    if (parsed.kind === 'refused') {
      const reading = unread(text, 'text that does not parse');
      return {
        ...reading,
        facts: { ...reading.facts, syntaxError: { message: parsed.message, position: parsed.position } },
      };
    }
    const reading = readTree(text, listAt(parsed.tree, 'stmts'));
    const outline = options.outline === true ? outlineOf(parsed.tree) : undefined;
    return outline === undefined ? reading : { ...reading, outline };
  } catch (error) {
    // Depth of the walk itself; its own bounds come first unless the caller's stack is nearly full.
    return unread(text, error instanceof OverBounds ? error.message : 'nested too deeply to read');
  }
}

function readTree(text: string, statements: readonly unknown[]): SqlReading {
  const total = new Findings();
  const main = new Walk(HANDLERS);
  const executes = new Set<string>();
  const preparedHere = new Set<string>();
  let ranges: readonly { readonly start: number; readonly end: number }[] | undefined;
  statements.forEach((item, index) => {
    const source = (): string => {
      ranges ??= statementRanges(text, statements);
      const range = ranges[index];
      return range === undefined ? text : text.slice(range.start, range.end);
    };
    const walk = main.fork();
    const stmt = isNode(item) ? item['stmt'] : undefined;
    walk.statement(stmt, { ctes: undefined, executes: true, inBody: false, names: NO_NAMES, source });
    const found = walk.findings;
    total.absorb(found);
    for (const name of found.executes) if (!preparedHere.has(name)) executes.add(name);
    for (const { name, findings } of found.prepared) {
      preparedHere.add(name);
      total.prepared.push({ name, findings });
    }
    for (const name of found.deallocates) {
      preparedHere.delete(name);
      total.deallocates.add(name);
    }
    if (found.deallocatesAll) {
      preparedHere.clear();
      total.deallocates.add('*');
    }
  });
  total.statements = statements.length;
  if (statements.length > 1) total.stacked = stackedIn(statements);
  return {
    facts: total.toFacts(text),
    prepared: total.prepared.map(({ name, findings }) => ({ name, facts: findings.toFacts(text) })),
    executes: [...executes],
    deallocates: [...total.deallocates],
    settings: total.settings,
  };
}

export const NO_NAMES: ReadonlySet<string> = new Set();

/** The reading of a text that nobody could read: opaque. */
export function unread(text: string, reason: string): SqlReading {
  const found = new Findings();
  found.statements = 1;
  found.effects.add('other');
  found.opaque(reason);
  return { facts: found.toFacts(text), prepared: [], executes: [], deallocates: [], settings: [] };
}

/** Longer than that many bytes of UTF-8? Counts only where the length in units leaves it open. */
function isLongerThan(text: string, bytes: number): boolean {
  if (text.length > bytes) return true;
  return text.length * 3 > bytes && new TextEncoder().encode(text).length > bytes;
}
