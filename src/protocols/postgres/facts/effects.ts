/**
 * Every effect a statement can have, the worst first: `kind` is the first of this list that a
 * message has. What reaches outside the database comes before who-may-what, that before
 * what-destroys, that before what-changes, that before what-only-reads.
 */
export const EFFECTS = [
  'server-program',
  'server-file',
  'outbound',
  'extension',
  'server-config',
  'session-authorization',
  'replication',
  'set-role',
  'role-admin',
  'owner',
  'grant',
  'revoke',
  'dynamic',
  'drop',
  'truncate',
  'stored-code',
  'alter',
  'create',
  'merge',
  'delete',
  'update',
  'insert',
  'copy-in',
  'refresh',
  'do',
  'call',
  'execute',
  'copy-out',
  'lock',
  'vacuum',
  'comment',
  'notify',
  'listen',
  'discard',
  'set-config',
  'set',
  'select',
  'prepare',
  'deallocate',
  'cursor',
  'explain',
  'begin',
  'commit',
  'rollback',
  'other',
] as const;

export type Effect = (typeof EFFECTS)[number];

/** The worst of `effects`; `other` where there is none. */
/** What other names, or others of a name, may be in sight after it. */
const UNSETTLING: ReadonlySet<string> = new Set([
  ...['create', 'alter', 'drop', 'extension', 'dynamic', 'discard'],
  ...['set', 'set-config', 'set-role', 'session-authorization'],
]);

export function isUnsettling(effect: string): boolean {
  return UNSETTLING.has(effect);
}

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
