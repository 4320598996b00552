import type { SessionSummary } from '../core/session-summary.js';
import type { Column } from './table.js';

/** How a list of sessions reads. */
export const sessionColumns: readonly Column<SessionSummary>[] = [
  { header: 'session', value: ({ id }) => id },
  { header: 'started', value: ({ startedAt }) => `${startedAt.slice(0, 19).replace('T', ' ')}Z` },
  { header: 'lasted', value: (session) => lasted(session) },
  { header: 'user', value: ({ email, subject }) => (email === '' ? subject : email) },
  { header: 'connection', value: ({ connection }) => connection },
  { header: 'statements', value: ({ statements }) => String(statements) },
  { header: 'blocked', value: ({ blocked }) => String(blocked) },
  { header: 'approvals', value: ({ approvals }) => String(approvals) },
  { header: 'title', value: ({ title }) => title ?? '' },
];

function lasted({ startedAt, endedAt }: SessionSummary): string {
  if (endedAt === '') return 'live';
  const seconds = (Date.parse(endedAt) - Date.parse(startedAt)) / 1000;
  if (!Number.isFinite(seconds)) return '?';
  if (seconds < 60) return `${seconds.toFixed(1)}s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes}m${Math.floor(seconds % 60)}s` : `${Math.floor(minutes / 60)}h${minutes % 60}m`;
}
