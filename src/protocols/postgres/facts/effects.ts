import { EFFECTS } from '../../../core/sql-effects.js';

export { EFFECTS } from '../../../core/sql-effects.js';

export type Effect = (typeof EFFECTS)[number];

/** What other names, or others of a name, may be in sight after it. */
const UNSETTLING: ReadonlySet<string> = new Set([
  ...['create', 'alter', 'drop', 'extension', 'dynamic', 'discard'],
  ...['set', 'set-config', 'set-role', 'session-authorization'],
]);

export function isUnsettling(effect: string): boolean {
  return UNSETTLING.has(effect);
}

/** The worst of `effects`; `other` where there is none. */
export function worstOf(effects: ReadonlySet<string>): Effect {
  return EFFECTS.find((effect) => effects.has(effect)) ?? 'other';
}

/** The effects in the table's order, so that equal sets give equal lists. */
export function inOrder(effects: ReadonlySet<string>): readonly Effect[] {
  return EFFECTS.filter((effect) => effects.has(effect));
}

/** Effects at which event triggers fire. */
export const AT_EVENT_TRIGGERS: ReadonlySet<string> = new Set([
  ...['create', 'alter', 'drop', 'grant', 'revoke', 'owner', 'comment', 'stored-code', 'extension', 'refresh'],
]);
