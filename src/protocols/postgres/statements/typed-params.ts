import type { ParamValue } from '../../../policy/types.js';

/** int2, int4, int8, oid. */
const INTEGERS: ReadonlySet<number> = new Set([21, 23, 20, 26]);
/** float4, float8, numeric. */
const NUMBERS: ReadonlySet<number> = new Set([700, 701, 1700]);
const BOOLEAN = 16;

/**
 * Bound values as conditions see them: numbers and truth values where the Parse message named such a type, text
 * otherwise. A value that its type would refuse stays text.
 *
 * @param texts as the record has them; null for NULL
 * @param types object ids of their types; 0 or missing where the client left them open
 */
export function typedParams(texts: readonly (string | null)[], types: readonly number[]): readonly ParamValue[] {
  return texts.map((text, index) => (text === null ? null : (typed(text.trim(), types[index] ?? 0) ?? text)));
}

function typed(text: string, type: number): ParamValue | undefined {
  if (INTEGERS.has(type)) return /^[+-]?\d{1,18}$/.test(text) ? BigInt(text.replace('+', '')) : undefined;
  if (NUMBERS.has(type)) return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
  if (type !== BOOLEAN) return undefined;
  if (/^(t|tr|tru|true|y|ye|yes|on|1)$/i.test(text)) return true;
  return /^(f|fa|fal|fals|false|n|no|of|off|0)$/i.test(text) ? false : undefined;
}
