import type { SessionSummary } from '../core/session-summary.js';
import { HoopError } from '../core/errors.js';
import { nearest } from '../core/nearest.js';
import type { Column } from './table.js';

/** How a list of sessions reads. */
export const sessionColumns: readonly Column<SessionSummary>[] = [
  { header: 'session', value: ({ id }) => id },
  { header: 'started', value: ({ startedAt }) => `${startedAt.slice(0, 19).replace('T', ' ')}Z` },
  { header: 'lasted', value: (session) => lasted(session), spare: 3 },
  { header: 'user', value: ({ email, subject }) => (email === '' ? subject : email), least: 10 },
  { header: 'connection', value: ({ connection }) => connection, least: 8 },
  { header: 'statements', value: ({ statements }) => String(statements), spare: 2 },
  { header: 'blocked', value: ({ blocked }) => String(blocked), spare: 4 },
  { header: 'approvals', value: ({ approvals }) => String(approvals), spare: 1 },
  { header: 'title', value: ({ title }) => title ?? '', least: 12, spare: 5 },
];

/** Those that are shown only where they are asked for. */
const MORE_COLUMNS: readonly Column<SessionSummary>[] = [
  { header: 'ended', value: ({ endedAt }) => (endedAt === '' ? 'live' : `${endedAt.slice(0, 19).replace('T', ' ')}Z`) },
  { header: 'end', value: ({ endReason }) => endReason ?? '' },
  { header: 'subject', value: ({ subject }) => subject, least: 10 },
  { header: 'issuer', value: ({ issuer }) => issuer, least: 10 },
  { header: 'type', value: ({ connectionType }) => connectionType },
  { header: 'credential', value: ({ credential }) => credential, least: 8 },
  { header: 'correlation', value: ({ correlationId }) => correlationId },
  { header: 'events', value: ({ events }) => (events === 0 ? '' : String(events)) },
  { header: 'head', value: ({ head }) => head },
  { header: 'file', value: ({ file }) => file },
];

export const SESSION_COLUMN_NAMES = [...sessionColumns, ...MORE_COLUMNS].map(({ header }) => header);

/**
 * The columns of a list like `session,user,title`, in its order.
 *
 * @throws HoopError `usage`
 */
export function chosenColumns(names: string): readonly Column<SessionSummary>[] {
  return names.split(',').map((given) => {
    const name = given.trim().toLowerCase();
    const column = [...sessionColumns, ...MORE_COLUMNS].find(({ header }) => header === name);
    if (column !== undefined) return asked(column);
    const near = nearest(name, SESSION_COLUMN_NAMES);
    throw new HoopError('usage', 'there is no such column', {
      suggestion: `${near === undefined ? '' : `did you mean ${near}? `}there are ${SESSION_COLUMN_NAMES.join(', ')}`,
    });
  });
}

/** What was asked for is never left out. */
function asked({ spare: _spare, ...column }: Column<SessionSummary>): Column<SessionSummary> {
  return column;
}

function lasted({ startedAt, endedAt, endReason }: SessionSummary): string {
  if (endedAt === '') return 'live';
  // How long it went on until the crash is in its recording: what is known here is when it was sealed.
  if (endReason === 'crash') return 'crash';
  const seconds = (Date.parse(endedAt) - Date.parse(startedAt)) / 1000;
  if (!Number.isFinite(seconds)) return '?';
  if (seconds < 60) return `${seconds.toFixed(1)}s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes}m${Math.floor(seconds % 60)}s` : `${Math.floor(minutes / 60)}h${minutes % 60}m`;
}
