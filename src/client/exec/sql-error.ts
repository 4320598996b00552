import { DatabaseError } from 'pg';
import { HoopError, type ErrorCode, messageOf } from '../../core/errors.js';
import type { StatementText } from './statement-splitter.js';

/** The agent's own refusals all carry 42501; what they begin with tells them apart from the server's. */
const REFUSALS: readonly (readonly [RegExp, ErrorCode])[] = [
  [/^blocked by policy /, 'blocked'],
  [/^approval denied/, 'approval_denied'],
  [/^approval not given in time/, 'approval_timeout'],
];

/** What the agent says of itself by the SQLSTATE that a server would have for it: none of them is the statement's fault. */
const OURS: Readonly<Record<string, ErrorCode>> = { '58030': 'recording_failed', '53300': 'limit', '54000': 'limit' };

/** What ends a session whose access was revoked or has run out; behind it stands what to do. */
const ACCESS_ENDED = /^(access to .* ended.*?); (ask with: .*)$/s;

/** Classes of SQLSTATE after which the connection is gone, or never was. */
const LOST: readonly (readonly [string, ErrorCode])[] = [
  ['08', 'unreachable'],
  ['57P', 'unreachable'],
  ['28', 'upstream_auth'],
  ['F0', 'upstream_auth'],
];

/**
 * What a failed statement means to the caller: the server's own words, its SQLSTATE, and the line
 * and column in the script.
 *
 * @param statement undefined for what the user did not write (BEGIN)
 */
export function sqlFailure(thrown: unknown, statement?: StatementText): HoopError {
  if (thrown instanceof HoopError) return thrown;
  if (!(thrown instanceof DatabaseError)) {
    return new HoopError('unreachable', 'the connection was lost', {
      why: `${messageOf(thrown)}; whether the statement ran is not known`,
      suggestion: 'check what the statement changed before you run it again',
      cause: thrown,
    });
  }
  const sqlstate = thrown.code ?? 'XX000';
  const place = statement === undefined ? undefined : placeOf(statement, thrown.position);
  const why = [`SQLSTATE ${sqlstate}`, place, thrown.detail]
    .filter((part) => part !== undefined && part !== '')
    .join(', ');
  const [, ended, ask] = ACCESS_ENDED.exec(sqlstate === '57P01' ? thrown.message : '') ?? [];
  if (ended !== undefined && ask !== undefined)
    return new HoopError('access_needed', ended, { why, suggestion: ask, cause: thrown });
  const options = thrown.hint === undefined ? { why } : { why, suggestion: thrown.hint };
  return new HoopError(codeOf(sqlstate, thrown.message), thrown.message, { ...options, cause: thrown });
}

function codeOf(sqlstate: string, message: string): ErrorCode {
  // The agent answered, and says that the server behind it did not.
  if (message.startsWith('hoop: the database server')) return 'upstream_unreachable';
  if (message.startsWith('hoop: ') && Object.hasOwn(OURS, sqlstate)) return OURS[sqlstate] ?? 'sql';
  if (sqlstate === '42501') return REFUSALS.find(([pattern]) => pattern.test(message))?.[1] ?? 'sql';
  return LOST.find(([prefix]) => sqlstate.startsWith(prefix))?.[1] ?? 'sql';
}

/**
 * @param position the server's: characters (not UTF-16 units) of the statement, from 1
 * @returns `line 3, column 8`; where the statement begins when the server named no place
 */
function placeOf({ text, line, column }: StatementText, position: string | undefined): string | undefined {
  const characters = Number(position ?? '1');
  if (!Number.isSafeInteger(characters) || characters < 1) return undefined;
  const before = [...text]
    .slice(0, characters - 1)
    .join('')
    .split('\n');
  const last = [...(before.at(-1) ?? '')].length;
  const inFirstLine = before.length === 1;
  return `line ${String(line + before.length - 1)}, column ${String(inFirstLine ? column + last : last + 1)}`;
}
