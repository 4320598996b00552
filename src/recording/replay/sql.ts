import { escapeControls } from '../../core/display.js';
import { list, text } from '../reading/event-fields.js';
import type { ReplayEntry } from './entry.js';
import type { Group } from './groups.js';

/** Messages that only prepare, or are no SQL of the client's. */
const NO_STATEMENT = new Set(['startup', 'function-call', 'approval']);

/**
 * The statements alone, as SQL text with a comment above each: what ran as it stands, what did not (blocked, denied,
 * failed) behind `--`, so that the text does what the session did. Values were masked when they were recorded.
 *
 * @param write takes lines without their end
 */
export async function writeSql(groups: AsyncIterable<Group>, write: (text: string) => void): Promise<void> {
  for await (const { entries } of groups) {
    const asked = entries.find(({ event }) => event.type === 'statement');
    if (asked === undefined) continue;
    const { event, source } = asked;
    const via = text(event['via']);
    const sql = typeof event['text'] === 'string' ? escapeControls(event['text'], { keepNewlines: true }).trim() : '';
    if (NO_STATEMENT.has(via) || sql === '') continue;
    const stopped = notRun(entries);
    // Of a prepared statement its runs are what happened; only where preparing was refused is that all there is.
    if (via === 'parse' && stopped === '') continue;
    const where = source === undefined ? '' : ` ${escapeControls(source.connection)}`;
    const cut = event['textBytes'] === undefined ? '' : ` cut, ${text(event['textBytes'])} bytes`;
    write(`-- #${text(event['statement'])} ${text(event.at)}${where}${stopped === '' ? '' : ` ${stopped}`}${cut}`);
    const params = list(event['params'], 'NULL');
    if (params.length > 0) write(comment(params.map((value, at) => `$${String(at + 1)} = ${value}`).join(', ')));
    const whole = sql.endsWith(';') ? sql : `${sql}${endsInComment(sql) ? '\n' : ''};`;
    write(stopped === '' && cut === '' ? whole : comment(whole));
    write('');
  }
}

/** May the last line end in a comment, which would take in what follows on it? */
function endsInComment(sql: string): boolean {
  return sql.slice(sql.lastIndexOf('\n') + 1).includes('--');
}

/** Why a statement did not run, or empty. */
function notRun(entries: readonly ReplayEntry[]): string {
  for (const { event } of entries) {
    if (event.type === 'decision' && event['action'] === 'block') {
      const rules = list(event['rules']);
      return `blocked${rules.length === 0 ? '' : ` by ${rules.join(', ')}`}`;
    }
    if (event.type === 'approval.resolved' && event['outcome'] !== 'approved') return text(event['outcome']);
    if (event.type === 'result' && typeof event['error'] === 'object' && event['error'] !== null) return 'failed';
  }
  return '';
}

function comment(lines: string): string {
  return lines
    .split('\n')
    .map((line) => `-- ${line}`)
    .join('\n');
}
