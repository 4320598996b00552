import type { GrantView } from '../core/approval.js';
import type { Column } from './table.js';

/** The columns of `hoop requests --grants`. */
export const GRANT_COLUMNS: readonly Column<GrantView>[] = [
  { header: 'id', value: ({ id }) => id },
  { header: 'state', value: stateOfGrant, least: 7 },
  { header: 'who', value: ({ requester }) => (requester.email === '' ? requester.subject : requester.email), least: 8 },
  { header: 'connection', value: ({ connection, credential }) => `${connection} as ${credential}`, least: 8 },
  { header: 'covers', value: coverOf, least: 8, spare: 3 },
  { header: 'until', value: ({ expiresAt }) => `${expiresAt.slice(0, 19)}Z` },
  { header: 'approved by', value: ({ approvedBy }) => approvedBy, least: 8, spare: 2 },
  { header: 'request', value: ({ request }) => request, spare: 1 },
];

/** One grant as a line, not escaped. */
export function grantLine(grant: GrantView): string {
  return `grant ${grant.id} of ${grant.connection} ${stateOfGrant(grant)}`;
}

function stateOfGrant({ state, endedBy, endReason }: GrantView): string {
  return `${state}${endedBy === '' ? '' : ` by ${endedBy}`}${endReason === '' ? '' : `: ${endReason}`}`;
}

function coverOf({ kind, scope, flow }: GrantView): string {
  if (kind === 'access') return 'access';
  return scope === 'statement' ? `one statement (${flow})` : `${scope} (${flow})`;
}
