import type { ASTNode, Environment } from '@marcbachmann/cel-js';
import { matchesGlob } from '../core/glob.js';
import { isInRange, isRange } from './ip-range.js';
import { isTimeZone, timeOfDay, weekday } from './zoned-time.js';

/** Longest pattern of `glob`: its work is at most this times the length of the text. */
const MAX_GLOB_CHARACTERS = 1_000;

interface OwnFunction {
  /** Which argument has to be a literal, from 0, so that a slip shows when the file is read. */
  readonly literal: number;
  readonly fits: (literal: string) => boolean;
  readonly expected: string;
}

const ZONE = {
  literal: 1,
  fits: isTimeZone,
  expected: 'expected the name of a time zone as text, such as "Europe/Berlin" or "UTC"',
};

/** What hoop adds to CEL; `docs/policies.md` has an example of each. Each is pure, and takes time in proportion to what it is given. */
const OWN: Readonly<Record<string, OwnFunction>> = {
  timeOfDay: ZONE,
  weekday: ZONE,
  inRange: {
    literal: 1,
    fits: isRange,
    expected: 'expected a range of addresses as text, such as "10.0.0.0/8" or "2001:db8::/32"',
  },
  glob: {
    literal: 1,
    fits: (pattern) => pattern.length <= MAX_GLOB_CHARACTERS,
    expected: `expected a pattern as text, of at most ${String(MAX_GLOB_CHARACTERS)} characters`,
  },
};

/** Adds them. What can't be answered throws, and a condition that throws blocks. */
export function registerOwnFunctions(environment: Environment): void {
  const timestamp = 'google.protobuf.Timestamp';
  const options = { async: false };
  environment.registerFunction(`timeOfDay(${timestamp}, string): string`, timeOfDay, options);
  environment.registerFunction(`weekday(${timestamp}, string): string`, weekday, options);
  environment.registerFunction('inRange(string, string): bool', inRange, options);
  environment.registerFunction(
    'inRange(string, list<string>): bool',
    // All of them, so that a range that is none is never passed over.
    (address: string, ranges: readonly string[]) => ranges.map((range) => inRange(address, range)).includes(true),
    options,
  );
  environment.registerFunction('glob(string, string): bool', globOf, options);
}

/** What is wrong with a call of one of them; undefined where nothing is, and for any other call. */
export function ownCallFault(
  node: Extract<ASTNode, { op: 'call' }>,
): { readonly message: string; readonly offset: number } | undefined {
  const [name, given] = node.args;
  const own = Object.hasOwn(OWN, name) ? OWN[name] : undefined;
  if (own === undefined) return undefined;
  const argument = given[own.literal];
  // How many arguments there are is the type check's to say.
  if (argument === undefined) return undefined;
  const literals = argument.op === 'list' ? argument.args : [argument];
  const wrong = literals.find(
    (literal) => literal.op !== 'value' || typeof literal.args !== 'string' || !own.fits(literal.args),
  );
  return wrong === undefined ? undefined : { message: own.expected, offset: wrong.range.start };
}

function inRange(address: string, range: string): boolean {
  const found = isInRange(address, range);
  if (found === undefined) throw new RangeError('no address, or no range of addresses');
  return found;
}

function globOf(text: string, pattern: string): boolean {
  if (pattern.length > MAX_GLOB_CHARACTERS) throw new RangeError('the pattern is too long');
  return matchesGlob(pattern, text);
}
