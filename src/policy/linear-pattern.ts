import { RE2JS } from 're2js';

/** Compiled size above which a pattern is refused, in instructions: repeats of repeats multiply. */
const MAX_PROGRAM = 5_000;

/** A pattern whose matching time grows with the text alone, whatever the pattern. */
export interface LinearPattern {
  /** Is there a match anywhere in the text? */
  test(text: string): boolean;
}

/**
 * @param source RE2 syntax: no look-around, no back references
 * @returns undefined where the source is no such pattern, or compiles to more than 5,000 instructions
 * @see https://github.com/google/re2/wiki/Syntax
 */
export function compileLinearPattern(source: string): LinearPattern | undefined {
  try {
    const pattern = RE2JS.compile(source);
    if (pattern.programSize() > MAX_PROGRAM) return undefined;
    return { test: (text) => pattern.test(text) };
  } catch {
    return undefined;
  }
}
