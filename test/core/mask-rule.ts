import type { MaskRule } from '../../src/core/mask.js';

/** A rule that redacts in answers what `over` says. */
export function maskRule(over: Partial<MaskRule>): MaskRule {
  return {
    name: 'p/m',
    entities: [],
    columns: [],
    strategy: 'redact',
    with: '',
    on: { requests: false, answers: true },
    observed: false,
    ...over,
  };
}

/** One that redacts every column of the name `ssn`. */
export const SSN_RULE = maskRule({ name: 'pii/secrets', columns: [{ schema: '*', table: '*', column: 'ssn' }] });
