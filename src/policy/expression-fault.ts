import { nearest } from '../core/nearest.js';
import { FACT_TYPES, VARIABLES } from './fact-types.js';

/** Why a condition can't stand. `offset` counts UTF-16 units from the start of the text. */
export interface ExpressionFault {
  readonly message: string;
  readonly offset: number;
}

/**
 * An error of the expression library in a reader's words, with the nearest fact where one is unknown.
 *
 * @param names of facts and fields, where they are others than the contract's
 */
export function faultOf(
  error: unknown,
  names?: { readonly variables: readonly string[]; readonly fields: readonly string[] },
): ExpressionFault {
  const known = error as {
    readonly code?: string;
    readonly summary?: string;
    readonly range?: { readonly start: number };
  };
  const summary = typeof known.summary === 'string' ? known.summary : 'not a CEL expression';
  const offset = known.range?.start ?? 0;
  const missing = /^(?:No such key|Unknown variable): (.+)$/s.exec(summary)?.[1];
  if (missing === undefined) return { message: summary.charAt(0).toLowerCase() + summary.slice(1), offset };
  const candidates =
    known.code === 'unknown_variable'
      ? (names?.variables ?? VARIABLES)
      : (names?.fields ?? Object.values(FACT_TYPES).flatMap((fields) => Object.keys(fields)));
  const near = nearest(missing, candidates);
  return { message: `unknown fact \`${missing}\`${near === undefined ? '' : `; did you mean \`${near}\`?`}`, offset };
}
