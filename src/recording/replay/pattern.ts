import { RE2JS } from 're2js';

import { HoopError } from '../../core/errors.js';
import type { Group } from './groups.js';
import type { ReplayEntry } from './entry.js';

/** What is searched for in a recording. */
export interface Pattern {
  /** As it was given. */
  readonly source: string;
  matches(text: string): boolean;
}

/** Compiled size above which a pattern is refused, in instructions. */
const MAX_PROGRAM = 5_000;
const META = /[\\^$.|?*+()[\]{}]/;

/**
 * A regular expression (RE2: its time grows with the text alone) or plain text. Capitals are told apart where the
 * pattern has one.
 *
 * @throws HoopError `usage` for an expression that cannot be read
 * @see https://github.com/google/re2/wiki/Syntax
 */
export function compilePattern(source: string): Pattern {
  const sensitive = /\p{Lu}/u.test(source.replace(/\\./g, ''));
  if (!META.test(source)) {
    const wanted = sensitive ? source : source.toLowerCase();
    return { source, matches: (text) => (sensitive ? text : text.toLowerCase()).includes(wanted) };
  }
  try {
    const expression = RE2JS.compile(source, sensitive ? 0 : RE2JS.CASE_INSENSITIVE);
    if (expression.programSize() <= MAX_PROGRAM) return { source, matches: (text) => expression.test(text) };
  } catch {
    // Told below, without what was given.
  }
  throw new HoopError('usage', 'the pattern is no regular expression', {
    suggestion: 'write RE2 syntax; a backslash before ( ) [ ] { } . * + ? ^ $ | takes them as they are',
  });
}

/** Members that are the recording's own and not what anybody said. */
const OWN = new Set(['seq', 'at', 'type', 'prev', 'hash', 'policyHash', 'keyId', 'signature', 'facts', 'statement']);
const MAX_DEPTH = 64;

/** Does a text of the event match: statement, parameters, rows, body, rules, names, reasons? */
export function entryMatches({ event }: ReplayEntry, pattern: Pattern): boolean {
  return Object.entries(event).some(([name, value]) => !OWN.has(name) && valueMatches(value, pattern, 0));
}

export function groupMatches({ entries }: Group, pattern: Pattern): boolean {
  return entries.some((entry) => entryMatches(entry, pattern));
}

/** The frame of a session, which is shown around whatever was found in it. */
export function isFrame({ event }: ReplayEntry): boolean {
  return event.type === 'session.start' || event.type === 'session.end' || event.type === 'seal';
}

/** What matches, and the frame of each session. */
export async function* matching(groups: AsyncIterable<Group>, pattern: Pattern): AsyncGenerator<Group> {
  for await (const group of groups) {
    if (group.entries.every(isFrame) || groupMatches(group, pattern)) yield group;
  }
}

function valueMatches(value: unknown, pattern: Pattern, depth: number): boolean {
  if (typeof value === 'string') return pattern.matches(value);
  if (typeof value === 'number') return pattern.matches(String(value));
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return false;
  return Object.values(value).some((item) => valueMatches(item, pattern, depth + 1));
}
