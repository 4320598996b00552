import { MAX_PATH_STEPS, type JsonPathPattern, type JsonPathStep } from '../core/json-path.js';

/** `.name`, `.*`, `..name`, `..*`; a name as JavaScript and people write it, hyphens included. */
const DOTTED = /^(\.\.?)(\*|[\p{L}_][\p{L}\p{N}_-]*)/u;
/** `[*]`, `[0]`, `['any text']`, `["any text"]`, also behind `..`. */
const BRACKETED = /^(\.\.)?\[(\*|0|[1-9]\d{0,8}|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\]/u;

/**
 * Reads a path such as `$.customer.ssn`, `$.items[*].email`, `$..password`, `$['first name']`.
 *
 * @returns undefined where the text is none of these: filters, slices and negative indices are not read
 */
export function parseJsonPath(text: string): JsonPathPattern | undefined {
  if (!text.startsWith('$')) return undefined;
  const steps: JsonPathStep[] = [];
  let rest = text.slice(1);
  while (rest !== '') {
    const found = DOTTED.exec(rest) ?? BRACKETED.exec(rest);
    if (found === null) return undefined;
    const [whole, dots, selector] = found as unknown as [string, string | undefined, string];
    steps.push({ deep: dots === '..', select: selected(selector) });
    rest = rest.slice(whole.length);
  }
  return steps.length === 0 || steps.length > MAX_PATH_STEPS ? undefined : { steps };
}

function selected(selector: string): string | number | undefined {
  if (selector === '*') return undefined;
  if (/^\d/.test(selector)) return Number(selector);
  return /^['"]/.test(selector) ? selector.slice(1, -1).replace(/\\(.)/gsu, '$1') : selector;
}
