/** A CLI's word at the upgrade that it resumes streams which hold over another tunnel; the value is the version of how. */
export const RESUME_HEADER = 'x-hoop-resume';
export const RESUME_VERSION = '1';

/** What a CLI is told when it shall dial another tunnel for what is new; what runs goes on. */
export const RETIRING_EVENT = 'tunnel.retiring';

/** What a CLI is told when the token of its tunnel ends: the same, with a fresh token, and nobody need wait meanwhile. */
export const TOKEN_ENDING_EVENT = 'tunnel.token-ending';
