import type { Environment } from '@marcbachmann/cel-js';
import { expressionFault, isTrue, prepare } from './expression.js';
import type { ExpressionFault } from './expression-fault.js';

/** The names that conditions of one kind may use. */
export interface Vocabulary {
  readonly variables: readonly string[];
  /** Names of their fields, to find the nearest of a misspelt one. */
  readonly fields: readonly string[];
  declare(environment: Environment): unknown;
}

/** Reads one condition over names of its own, under the same rules as a policy's; `evaluate` throws as those do. */
export function compileCondition<Bound extends object>(
  text: string,
  vocabulary: Vocabulary,
): { readonly evaluate: (facts: Bound) => boolean } | { readonly fault: ExpressionFault } {
  try {
    const { parsed, run } = prepare(text, (created) => vocabulary.declare(created));
    const checked = parsed.check();
    if (!checked.valid) return { fault: expressionFault(checked.error, vocabulary) };
    if (checked.type !== 'bool' && checked.type !== 'dyn')
      return {
        fault: { message: `a condition must be true or false, this one is ${checked.type ?? 'unknown'}`, offset: 0 },
      };
    return { evaluate: (facts) => isTrue(run(facts)) };
  } catch (error) {
    return { fault: expressionFault(error, vocabulary) };
  }
}

const CLAIMS: Vocabulary = {
  variables: ['claims'],
  fields: [],
  declare: (created) => created.registerVariable('claims', 'map<string, dyn>'),
};

/**
 * Reads one CEL condition over the claims of a token.
 *
 * @returns `evaluate` throws where a claim is missing or of another type
 */
export function compileClaimCondition(
  text: string,
): { readonly evaluate: (claims: ReadonlyMap<string, unknown>) => boolean } | { readonly fault: ExpressionFault } {
  const compiled = compileCondition<{ claims: ReadonlyMap<string, unknown> }>(text, CLAIMS);
  if ('evaluate' in compiled) return { evaluate: (claims) => compiled.evaluate({ claims }) };
  const { fault } = compiled;
  const message = 'a condition on tokens reads `claims` alone, as in `claims.repository == "acme/shop"`';
  return { fault: fault.message.startsWith('unknown fact') ? { ...fault, message } : fault };
}
