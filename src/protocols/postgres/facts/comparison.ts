import type { Formula, Truth } from './formula.js';

/** Negations written as operators of their own. */
export const NEGATED: Readonly<Record<string, string>> = {
  '<>': '=',
  '!~~': '~~',
  '!~~*': '~~*',
  '!~': '~',
  '!~*': '~*',
  '>=': '<',
};
/** Operators that hold between a value and itself. */
export const REFLEXIVE: ReadonlySet<string> = new Set(['=', '~~', '~~*', '@>', '<@', '&&']);

export const TRUE: Formula = { op: 'truth', value: 1 };
export const FALSE: Formula = { op: 'truth', value: 0 };
export const UNKNOWN: Formula = { op: 'truth', value: 0.5 };

export function not(arg: Formula): Formula {
  if (arg.op === 'not') return arg.arg;
  return arg.op === 'truth' ? { op: 'truth', value: (1 - arg.value) as Truth } : { op: 'not', arg };
}

export function truth(value: boolean): Formula {
  return value ? TRUE : FALSE;
}

/** A literal as a condition: `'t'` and `'on'` are accepted where a truth value is wanted. */
export function truthOf(value: string | number | boolean | null): Formula {
  if (value === null) return UNKNOWN;
  if (typeof value !== 'string') return truth(Boolean(value));
  return truth(!/^\s*(f|fa|fal|fals|false|n|no|of|off|0)\s*$/i.test(value));
}

/** Undefined where PostgreSQL's types would have to be known. */
export function compareLiterals(
  operator: string,
  left: string | number | boolean | null,
  right: string | number | boolean | null,
): Formula | undefined {
  if (left === null || right === null) return UNKNOWN;
  const numbers = typeof left === 'number' || typeof right === 'number';
  const [a, b] = numbers ? [Number(left), Number(right)] : [left, right];
  if (operator === '=') return truth(a === b);
  if (operator === '<') return a === b ? FALSE : numbers ? truth(a < b) : undefined;
  return undefined;
}

/** Patterns that every value meets. */
export function matchesAll(operator: string, pattern: unknown): boolean {
  if (typeof pattern !== 'string') return false;
  if (operator === '~~' || operator === '~~*') return /^%+$/.test(pattern);
  return (operator === '~' || operator === '~*') && /^\^?(\.\*)?\$?$/.test(pattern);
}
