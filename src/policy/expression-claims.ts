import { expressionFault, isTrue, prepare, type ExpressionFault } from './expression.js';

/** A token's claims, as CEL has maps. */
export type ClaimMap = ReadonlyMap<string, unknown>;

/**
 * Reads one CEL condition over the claims of a token, under the same rules as a policy's.
 *
 * @returns `evaluate` throws where a claim is missing or of another type
 */
export function compileClaimCondition(
  text: string,
): { readonly evaluate: (claims: ClaimMap) => boolean } | { readonly fault: ExpressionFault } {
  try {
    const { parsed } = prepare(text, (environment) => environment.registerVariable('claims', 'map<string, dyn>'));
    const checked = parsed.check();
    if (!checked.valid) return { fault: claimFault(checked.error) };
    // What a claim holds is only known when it comes.
    if (checked.type === 'bool' || checked.type === 'dyn') return { evaluate: (claims) => isTrue(parsed({ claims })) };
    const message = `a condition must be true or false, this one is ${checked.type ?? 'unknown'}`;
    return { fault: { message, offset: 0 } };
  } catch (error) {
    return { fault: claimFault(error) };
  }
}

function claimFault(error: unknown): ExpressionFault {
  const fault = expressionFault(error);
  return fault.message.startsWith('unknown fact')
    ? { ...fault, message: 'a condition on tokens reads `claims` alone, as in `claims.repository == "acme/shop"`' }
    : fault;
}
