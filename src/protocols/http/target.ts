import type { Fault } from '../../core/errors.js';
import { escapedBytes, formDecoded } from './bodies/form-text.js';

/** A request target that means one thing to every reader. */
export interface Target {
  /** Begins with `/`; escapes of unreserved characters decoded, hex digits of the others in capitals. */
  readonly path: string;
  /** As sent, without `?`; empty where there is none. */
  readonly query: string;
}

/** An empty segment, `.` or `..`, also encoded. */
const DOTTED = /\/(?:\.|%2e){0,2}(?=\/)|\/(?:\.|%2e){1,2}$/i;
/** A dot segment, also between encoded slashes. */
const DOTS = /\/(?:\.|%2e){1,2}(?=\/|$)/i;
const ENCODED_SLASH = /%2f/gi;
/** A path parameter, a backslash or control character in disguise: readers differ in what they make of them. */
const DISGUISED = /[;\\]|%(?:3b|5c|7f|[01][0-9a-f])/i;
/** An escape of an escape, which a reader that decodes twice takes for the character. */
const TWICE_ENCODED = /%25(?=[0-9a-f]{2})/i;
const BROKEN_ESCAPE = /%(?![0-9a-f]{2})/i;
const PLAIN = /^[!-~]*$/;
const ESCAPE = /%([0-9a-f]{2})/gi;
const UNRESERVED = /[A-Za-z0-9\-._~]/;
const HIGH_ESCAPE = /%[89a-f][0-9a-f]/i;

/**
 * Reads a request target in origin form (RFC 9112 section 3.2.1) and normalises it (RFC 3986 section 6.2.2), so that
 * the path that is judged is the path that goes upstream and has no second spelling that a rule would miss.
 *
 * Nothing is collapsed in silence. Refused: absolute, authority and asterisk form, empty and dot segments (`//`, `/./`,
 * `/..`, `%2e`), path parameters (`;`, `%3b`), backslashes, encoded slashes and control characters, escapes that are
 * broken, of escapes (`%2541`) or of no UTF-8, fragments, anything but printable ASCII, and a token in the query
 * (`access_token`). Capitals stay as they are.
 *
 * @param options.slashes encoded slashes are taken, where they hide no dot segment: policy judges the path in each way
 *   that a server may read them (`policy/path-readings.ts`)
 * @returns a fault `protocol`, which names the kind of trouble and never the target
 */
export function readTarget(target: string, { slashes = false } = {}): Target | Fault {
  if (!target.startsWith('/')) return fault('the request target must begin with a slash');
  if (!PLAIN.test(target)) return fault('the request target must be printable ASCII');
  if (target.includes('#')) return fault('the request target must have no fragment');
  if (BROKEN_ESCAPE.test(target)) return fault('the request target has a broken percent escape');
  const cut = target.indexOf('?');
  const path = cut === -1 ? target : target.slice(0, cut);
  const query = cut === -1 ? '' : target.slice(cut + 1);
  if (DOTTED.test(path)) return fault('the path must have no empty or dot segments');
  const decoded = path.replace(ENCODED_SLASH, '/');
  if (slashes && DOTS.test(decoded)) return fault('the path must have no dot segments between encoded slashes');
  if (DISGUISED.test(path) || (!slashes && decoded !== path))
    return fault('the path must have no parameters, backslashes, encoded slashes or control characters');
  if (TWICE_ENCODED.test(path)) return fault('the path is encoded twice');
  if (HIGH_ESCAPE.test(path) && !isUtf8(path)) return fault('the path is no UTF-8');
  for (const [name] of queryPairs(query))
    if (name.toLowerCase() === 'access_token') return fault('tokens in addresses are refused');
  return { path: path.replace(ESCAPE, normalEscape), query };
}

/**
 * The path as rules see it: the escapes that are left of printable characters decoded too (`%3A` is `:`), since most
 * servers take both spellings for the same. Encoded `%`, `/`, `?`, `#`, spaces and characters beyond ASCII stay encoded.
 *
 * @param path as `readTarget` gives it
 */
export function judgedPath(path: string): string {
  return path.replace(ESCAPE, (escape, hex: string) => {
    const sign = String.fromCharCode(parseInt(hex, 16));
    return sign > ' ' && sign <= '~' && !'%/?#'.includes(sign) ? sign : escape;
  });
}

/**
 * Names and values of a query or form, decoded (`application/x-www-form-urlencoded`), in order.
 *
 * @see https://url.spec.whatwg.org/#urlencoded-parsing
 */
export function queryPairs(query: string): (readonly [name: string, value: string])[] {
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const cut = pair.indexOf('=');
      return cut === -1 ? [formDecoded(pair), ''] : [formDecoded(pair.slice(0, cut)), formDecoded(pair.slice(cut + 1))];
    });
}

function normalEscape(escape: string, hex: string): string {
  const sign = String.fromCharCode(parseInt(hex, 16));
  return UNRESERVED.test(sign) ? sign : escape.toUpperCase();
}

function isUtf8(path: string): boolean {
  try {
    if (path.includes('%')) new TextDecoder('utf-8', { fatal: true }).decode(escapedBytes(path));
    return true;
  } catch {
    return false;
  }
}

function fault(message: string): Fault {
  return { code: 'protocol', message };
}
