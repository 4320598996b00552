import { nearest } from '../core/nearest.js';
import { FACT_TYPES, VARIABLES } from './fact-types.js';

/** Why a condition can't stand. `offset` counts UTF-16 units from the start of the text. */
export interface ExpressionFault {
  readonly message: string;
  readonly offset: number;
}

/** What conditions call: of CEL itself, and hoop's own. */
const FUNCTIONS = [
  ...['all', 'exists', 'exists_one', 'filter', 'map', 'has', 'size', 'contains', 'startsWith', 'endsWith', 'matches'],
  ...['lowerAscii', 'upperAscii', 'trim', 'split', 'join', 'substring', 'indexOf', 'lastIndexOf', 'string', 'int'],
  ...['double', 'bool', 'type', 'timestamp', 'duration', 'timeOfDay', 'weekday', 'inRange', 'glob'],
];

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
  const called = /^found no matching overload for '(?:[^'.]*\.)?(\w+)\(/.exec(summary)?.[1];
  const meant = called === undefined || FUNCTIONS.includes(called) ? undefined : nearest(called, FUNCTIONS);
  if (called !== undefined && meant !== undefined)
    return { message: `unknown function \`${called}\`; did you mean \`${meant}\`?`, offset };
  const missing = /^(?:No such key|Unknown variable): (.+)$/s.exec(summary)?.[1];
  if (missing === undefined) return { message: summary.charAt(0).toLowerCase() + summary.slice(1), offset };
  const candidates =
    known.code === 'unknown_variable'
      ? (names?.variables ?? VARIABLES)
      : (names?.fields ?? Object.values(FACT_TYPES).flatMap((fields) => Object.keys(fields)));
  const near = nearest(missing, candidates);
  return { message: `unknown fact \`${missing}\`${near === undefined ? '' : `; did you mean \`${near}\`?`}`, offset };
}
