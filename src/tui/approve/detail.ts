import type { RequestPreview, RequestView } from '../../core/approval.js';
import { escapeControls } from '../../core/display.js';
import { byteText, spanText, timeLeft } from '../figures.js';
import { type Line, line, type Piece, piece, type Tone, wrapLine } from '../lines.js';
import { sqlLines } from '../sql-pieces.js';
import type { EarlierStep } from './desk.js';
import { previewLines } from './preview-lines.js';

/** What is known of a request besides itself. */
export interface DetailExtras {
  readonly steps?: readonly EarlierStep[] | 'reading' | 'not-yours' | undefined;
  readonly preview?: RequestPreview | 'asking' | { readonly failed: string } | undefined;
}

export interface DetailOptions extends DetailExtras {
  /** Cells. */
  readonly width: number;
  readonly nowMs: number;
  /** Break a statement of one line at its clauses. */
  readonly formatted: boolean;
}

const LABEL_CELLS = 11;
const SQL_TYPES: readonly string[] = ['postgres', 'mysql'];

/**
 * A request as its reviewer reads it, whole: first who and why, then the statement, then what is known of it. Lines of
 * the statement stand behind a bar, so that text in it can't pass for one of ours.
 */
export function detailLines(request: RequestView, options: DetailOptions): readonly Line[] {
  return [
    stateLine(request, options.nowMs),
    ...whoLines(request, options.width),
    ...ruleLines(request, options.width),
    ...statementLines(request, options),
    ...parameterLines(request, options.width),
    ...previewLines(options.preview, options.width),
    ...factLines(request, options.width),
    ...impactLines(request, options.width),
    ...stepLines(request, options),
  ];
}

/** A labelled value; further rows of it stand under its first. */
export function field(label: string, value: Line | string, width: number, tone: Tone = 'plain'): readonly Line[] {
  const pieces: Line = typeof value === 'string' ? [piece(value, tone)] : value;
  return wrapLine([piece(label.padEnd(LABEL_CELLS), 'dim'), ...pieces], width, { indent: LABEL_CELLS });
}

function stateLine(request: RequestView, nowMs: number): Line {
  const what = request.kind === 'access' ? 'access to a connection' : `statement ${String(request.statement)}`;
  const marks: Piece[] = request.breakGlass === true ? [piece('  BREAK-GLASS', 'red')] : [];
  if (request.state !== 'pending') {
    const by = request.decidedBy === '' ? '' : ` by ${request.decidedBy}`;
    const why = request.decisionReason === '' ? '' : `: ${request.decisionReason}`;
    return [piece(what, 'bold'), piece(`  ${request.state}${by}${why}`, 'yellow'), ...marks];
  }
  const left = timeLeft(Date.parse(request.expiresAt), nowMs);
  return [
    piece(what, 'bold'),
    piece(`  waits, ${left} left`, left.length === 4 && left < '1' ? 'red' : 'yellow'),
    ...marks,
  ];
}

function whoLines(request: RequestView, width: number): readonly Line[] {
  const { requester, client = {} } = request;
  const name = requester.email === '' ? requester.subject : requester.email;
  const groups = requester.groups.length === 0 ? 'no groups' : requester.groups.join(', ');
  const from = [client.address, client.application].filter((part) => part !== undefined && part !== '').join(', ');
  const who: Line = [
    piece(name, 'bold'),
    piece(` (${groups})`),
    requester.machine ? piece(' machine', 'magenta') : piece(' person', 'dim'),
  ];
  return [
    ...field('who', who, width),
    ...(requester.subject === name ? [] : field('subject', requester.subject, width)),
    ...field('issuer', requester.issuer, width),
    ...(from === '' ? [] : field('from', from, width)),
    ...field('connection', `${request.connection} (${request.connectionType}) as ${request.credential}`, width),
    ...(request.durationMs === undefined ? [] : field('for', spanText(request.durationMs), width, 'bold')),
    ...(request.reason === '' ? field('reason', 'none given', width, 'dim') : field('reason', request.reason, width)),
  ];
}

function ruleLines(request: RequestView, width: number): readonly Line[] {
  const progress = request.progress ?? [];
  return [
    ...request.rules.flatMap(({ rule, message }) =>
      field('rule', [piece(rule, 'yellow'), piece(message === '' ? '' : `: ${message}`)], width),
    ),
    ...progress.flatMap(({ flow, entries }) =>
      field(
        'needs',
        entries
          .map(({ groups, count, given }) => `${groups.join(' or ')} (${String(given)} of ${String(count)})`)
          .join(', ') + ` by ${flow}`,
        width,
      ),
    ),
    ...(progress.length > 0 ? [] : field('needs', request.flows.join(', '), width)),
    ...request.votes.flatMap((vote) =>
      field('approved', `${vote.email === '' ? vote.subject : vote.email} at ${vote.at.slice(11, 19)}`, width, 'green'),
    ),
  ];
}

function statementLines(request: RequestView, { width, formatted }: DetailOptions): readonly Line[] {
  if (request.text === '') return [];
  const sql = SQL_TYPES.includes(request.connectionType) && request.kind !== 'access';
  const rows = sql ? sqlLines(request.text, { formatted }) : request.text.split('\n').map((one) => line(one));
  const bar = piece('│ ', 'dim');
  return [
    [],
    ...rows.flatMap((row) => wrapLine(row, Math.max(8, width - 2), { indent: 2 }).map((wrapped) => [bar, ...wrapped])),
    [],
  ];
}

function parameterLines({ params = [] }: RequestView, width: number): readonly Line[] {
  return params.flatMap((value, index) =>
    field(`$${String(index + 1)}`, value === null ? [piece('NULL', 'dim')] : [piece(value, 'green')], width),
  );
}

interface NamedTable {
  readonly schema?: unknown;
  readonly name?: unknown;
}

function factLines({ facts = {} }: RequestView, width: number): readonly Line[] {
  const tables = (name: string): string => listOf(facts[name]).map(tableName).join(', ');
  const words = (name: string): string => listOf(facts[name]).map(String).join(', ');
  const shown: readonly (readonly [string, string, Tone])[] = [
    ['effects', words('effects'), 'plain'],
    ['writes', tables('writes'), 'red'],
    ['reads', tables('reads'), 'plain'],
    ['functions', words('functions'), 'plain'],
    ['no WHERE', words('unqualified'), 'red'],
    ['opaque', facts['opaque'] === true ? textOf(facts['opaqueReason'], 'yes') : '', 'red'],
  ];
  return shown.flatMap(([label, value, tone]) => (value === '' ? [] : field(label, value, width, tone)));
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

function textOf(value: unknown, otherwise: string): string {
  return typeof value === 'string' && value !== '' ? value : otherwise;
}

function tableName(table: unknown): string {
  if (typeof table !== 'object' || table === null) return String(table);
  const { schema, name } = table as NamedTable;
  return typeof schema === 'string' && schema !== '' ? `${schema}.${String(name)}` : String(name);
}

function impactLines({ impact }: RequestView, width: number): readonly Line[] {
  if (impact === undefined) return [];
  const rows = impact.estimatedRows;
  return [
    ...(rows === undefined
      ? []
      : field('estimate', `about ${String(rows)} ${rows === 1 ? 'row' : 'rows'}`, width, 'yellow')),
    ...(impact.tables ?? []).flatMap(({ name, rows: count, bytes, via }) => {
      const size = [
        ...(count === undefined ? [] : [`${String(count)} rows`]),
        ...(bytes === undefined ? [] : [byteText(bytes)]),
      ].join(', ');
      return field(
        'table',
        `${name}${size === '' ? '' : ` (${size})`}${via === 'statement' ? '' : `, by ${via}`}`,
        width,
      );
    }),
    ...(impact.notes ?? []).flatMap((note) => field('note', note, width)),
    ...(impact.unknown === undefined ? [] : field('estimate', `none: ${impact.unknown}`, width, 'dim')),
  ];
}

function stepLines(request: RequestView, { steps, width }: DetailOptions): readonly Line[] {
  if (request.correlationId === '') return [];
  const head = field('correlation', request.correlationId, width);
  if (steps === undefined || steps === 'reading') return [...head, ...field('earlier', 'reading…', width, 'dim')];
  if (steps === 'not-yours') return [...head, ...field('earlier', 'not yours to read', width, 'dim')];
  if (steps.length === 0) return [...head, ...field('earlier', 'nothing', width, 'dim')];
  return [
    ...head,
    ...steps.flatMap(({ at, connection, text, action }) =>
      field(
        at.slice(11, 19),
        [
          piece(`${connection}: `, 'cyan'),
          piece(escapeControls(text)),
          piece(action === '' || action === 'allow' ? '' : ` [${action}]`, 'yellow'),
        ],
        width,
      ),
    ),
  ];
}
