/**
 * Drives a PostgresSession without a socket, and writes conversations down as text:
 *
 *     @ setting          of the session, before anything is said
 *     > message          the client says            -> message   goes on to the server
 *     < message          the server says            <- message   goes on to the client
 *     = decision         answers the open ticket     ? question  is put to policy
 *     x reason: fault    the session is over
 */
import { sha256 } from '../../../src/agent/sessions/record-bounds.js';
import { createHash } from 'node:crypto';
import type { RecordBounds } from '../../../src/core/output-digest.js';
import { authenticationCrypto } from '../../../src/agent/fronts/postgres/authentication-crypto.js';
import { maskWhole } from '../../../src/masking/text-masker.js';
import type { Decision, Step } from '../../../src/protocols/contract.js';
import { WriteBackGuard } from '../../../src/protocols/postgres/write-back/write-back.js';
import type { SessionMasks } from '../../../src/protocols/postgres/masks.js';
import { ReplicationSession } from '../../../src/protocols/postgres/replication/replication-session.js';
import type { PostgresSessionOptions } from '../../../src/protocols/postgres/opening/session-options.js';
import { PostgresSession } from '../../../src/protocols/postgres/session.js';
import { sqlReader } from '../../../src/protocols/postgres/statements/sql-reader.js';
import type { StartupMessage } from '../../../src/protocols/postgres/opening/startup.js';
import { hash, maskerOf, ruleOf } from '../../masking/support.js';
import {
  bind,
  complete,
  cstring,
  errorFields,
  execute,
  i32,
  message,
  messagesIn,
  parse,
  ready,
  row,
  rowDescription,
  u16,
} from './wire.js';

export interface Settings {
  /** Entities to mask. */
  readonly mask?: readonly string[];
  /** Columns to redact, by name. */
  readonly columns?: readonly string[];
  readonly statementBytes?: number;
  readonly rowBytes?: number;
  readonly startup?: Partial<StartupMessage>;
  readonly bounds?: Partial<RecordBounds>;
  /** Is the record masked further than the answers? */
  readonly observed?: boolean;
}

export function masksOf({ mask = [], columns = [], observed = false }: Settings): SessionMasks {
  const answers = mask.length === 0 ? undefined : maskerOf(mask);
  const rule = { ...ruleOf([]), name: 'p/secret', strategy: 'redact' as const };
  return {
    answers,
    record: observed ? maskerOf(['email']) : answers,
    known: () => undefined,
    columns:
      columns.length === 0
        ? undefined
        : {
            asked: () => undefined,
            refusedNow: () => undefined,
            ended: () => undefined,
            declared: () => undefined,
            portalNamed: () => undefined,
            touches: () => false,
            ofResult: (_run, _nth, described) =>
              described.map((column) => (columns.includes(column.name) ? rule : undefined)),
            ofCopy: () => undefined,
            reversible: () => [],
            functionPasses: () => false,
          },
    writeBack: new WriteBackGuard([]),
    maskWhole,
    hash,
  };
}

export function newSession(settings: Settings = {}): PostgresSession {
  return new PostgresSession(optionsOf(settings));
}

/** A logical replication session on a connection that allows it. */
export function newReplicationSession(settings: Settings = {}): ReplicationSession {
  const startup = { replication: 'database', ...settings.startup };
  return new ReplicationSession({ ...optionsOf({ ...settings, startup }), allowed: true });
}

function optionsOf(settings: Settings): PostgresSessionOptions {
  const masks = masksOf(settings);
  return {
    startup: {
      user: 'ann',
      database: undefined,
      settings: [],
      replication: undefined,
      minor: 0,
      protocolOptions: [],
      ...settings.startup,
    },
    database: 'shop',
    credential: { user: 'app', password: 'pw' },
    cancelKey: { pid: 77, secret: new Uint8Array([1, 2, 3, 4]) },
    crypto: authenticationCrypto,
    limits: { statementBytes: settings.statementBytes ?? 10_000, rowBytes: settings.rowBytes ?? 1_000_000 },
    sql: sqlReader,
    bounds: { rows: 50, bytes: 16 * 1024, hashBytes: 1_000_000, newHash: sha256, ...settings.bounds },
    readsSql: () => true,
    readsParams: () => true,
    masks: () => masks,
    nowMs: () => 0,
  };
}

/** What the server says until it is ready for the first query. */
export const OPENED: readonly Buffer[] = [
  message('R', i32(0)),
  message('S', Buffer.concat([cstring('client_encoding'), cstring('UTF8')])),
  message('K', Buffer.concat([i32(9), i32(99)])),
  ready(),
];

const TYPES: Readonly<Record<string, number>> = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int4: 23,
  text: 25,
  json: 114,
  numeric: 1700,
  jsonb: 3802,
};

/** Escapes of the notation: `\n`, `\t`, `\\`, `\|`, `\xNN`. */
function unescaped(text: string): Buffer {
  const parts: Buffer[] = [];
  for (const [piece] of text.matchAll(/\\x[0-9a-f]{2}|\\.|[^\\]+/gs)) {
    if (piece.startsWith('\\x')) parts.push(Buffer.from(piece.slice(2), 'hex'));
    else if (piece.startsWith('\\'))
      parts.push(Buffer.from(({ n: '\n', t: '\t' } as Record<string, string>)[piece.charAt(1)] ?? piece.slice(1)));
    else parts.push(Buffer.from(piece));
  }
  return Buffer.concat(parts);
}

function escaped(bytes: Buffer): string {
  let text = '';
  for (const char of bytes.toString('utf8').includes('\ufffd') ? bytes.toString('latin1') : bytes.toString('utf8')) {
    const code = char.codePointAt(0) as number;
    if (char === '\n') text += '\\n';
    else if (char === '\t') text += '\\t';
    else if (char === '\\' || char === '|') text += `\\${char}`;
    else if (code < 0x20 || (code >= 0x7f && code < 0x100)) text += `\\x${code.toString(16).padStart(2, '0')}`;
    else text += char;
  }
  return text;
}

const fields = (rest: string): string[] => (rest === '' ? [] : rest.split(/(?<!\\)\|/));
const cells = (rest: string): (Buffer | null)[] =>
  fields(rest).map((field) => (field === 'NULL' ? null : unescaped(field)));
const words = (rest: string): [string, string] => {
  const space = rest.indexOf(' ');
  return space === -1 ? [rest, ''] : [rest.slice(0, space), rest.slice(space + 1)];
};
const report = (type: string, rest: string): Buffer => {
  const [code, text] = words(rest);
  const severity = type === 'N' ? 'NOTICE' : code.endsWith('!') ? 'FATAL' : 'ERROR';
  const [primary = '', detail] = text.split(' DETAIL: ');
  const parts = [
    `S${severity}`,
    `V${severity}`,
    `C${code.replace('!', '')}`,
    `M${primary}`,
    ...(detail === undefined ? [] : [`D${detail}`]),
  ];
  return message(type, Buffer.concat([...parts.map(cstring), Buffer.from([0])]));
};

export function clientMessage(line: string): Buffer {
  const [type, rest] = words(line);
  const [first = '', second = '', ...others] = fields(rest);
  switch (type) {
    case 'Q':
      return message('Q', Buffer.concat([unescaped(rest), Buffer.from([0])]));
    case 'P':
      return parse(first, unescaped(second).toString());
    case 'B':
      return bind(
        first,
        second,
        others.map((value) => (value === 'NULL' ? null : value)),
      );
    case 'D':
    case 'C':
      return message(type, cstring(first));
    case 'E':
      return execute(first, Number(second));
    case 'd':
      return message('d', unescaped(rest));
    case 'f':
      return message('f', cstring(rest));
    case 'F':
      return message('F', Buffer.concat([i32(2_000), u16(0), u16(0), u16(0)]));
    default:
      return message(type, '');
  }
}

export function serverMessage(line: string): Buffer {
  const [type, rest] = words(line);
  switch (type) {
    case 'T':
      return rowDescription(
        fields(rest).map((column) => {
          const [name = '', kind = 'text', format] = column.split(':');
          return { name, type: TYPES[kind] ?? Number(kind), format: format === 'binary' ? 1 : 0 };
        }),
      );
    case 'D':
      return row(cells(rest));
    case 'C':
      return complete(rest);
    case 'Z':
      return ready(rest);
    case 'E':
    case 'N':
      return report(type, rest);
    case 'R':
      return message('R', i32(Number(rest)));
    case 'K':
      return message('K', Buffer.concat([i32(9), i32(99)]));
    case 'S':
      return message('S', Buffer.concat(words(rest).map(cstring)));
    case 'A':
      return message('A', Buffer.concat([i32(5), ...words(rest).map(cstring)]));
    case 'G':
    case 'H':
    case 'W':
      return message(type, Buffer.concat([Buffer.from([0]), u16(1), u16(0)]));
    case 'd':
      return message('d', unescaped(rest));
    case 't':
      return message('t', u16(0));
    case 'V':
      return message('V', rest === 'NULL' ? i32(-1) : Buffer.concat([i32(unescaped(rest).length), unescaped(rest)]));
    default:
      return message(type, '');
  }
}

function decision(line: string): Decision {
  const [action, rest] = words(line);
  switch (action) {
    case 'allow':
      return { action, notices: fields(rest) };
    case 'hold':
      return { action, request: 'r1', message: rest };
    case 'block':
    case 'denied':
    case 'timeout':
      return { action, message: rest };
    default:
      return { action: 'cancelled' };
  }
}

/** One message as the notation has it. */
export function written(type: string, body: Buffer, from: 'client' | 'server'): string {
  if (from === 'server' && (type === 'E' || type === 'N')) {
    const { S, C, M, D, P } = errorFields(body) as Record<string, string | undefined>;
    return `${type} ${C ?? ''}${S === 'FATAL' ? '!' : ''} ${M ?? ''}${D === undefined ? '' : ` DETAIL: ${D}`}${P === undefined ? '' : ` AT ${P}`}`;
  }
  if (from === 'server' && type === 'D')
    return `D ${cellsIn(body)
      .map((cell) => (cell === null ? 'NULL' : escaped(cell)))
      .join('|')}`;
  if (from === 'server' && type === 'T') return `T ${createHash('sha256').update(body).digest('hex').slice(0, 8)}`;
  return `${type} ${escaped(body)}`.trimEnd();
}

export function cellsIn(body: Buffer): (Buffer | null)[] {
  const found: (Buffer | null)[] = [];
  let at = 2;
  for (let index = 0; index < body.readUInt16BE(0); index += 1) {
    const length = body.readInt32BE(at);
    found.push(length === -1 ? null : body.subarray(at + 4, at + 4 + length));
    at += 4 + Math.max(0, length);
  }
  return found;
}

/** What a stretch of steps amounts to, told alike however the bytes were cut. */
export interface Outcome {
  readonly client: Buffer;
  readonly upstream: Buffer;
  readonly asked: readonly { readonly ticket: number; readonly line: string }[];
  readonly closed: string | undefined;
}

export function outcomeOf(steps: readonly Step[]): Outcome {
  const to = (side: string): Buffer =>
    Buffer.concat(steps.flatMap((step) => (step.kind === 'send' && step.to === side ? [step.bytes] : [])));
  const asked = steps.flatMap((step) => {
    if (step.kind !== 'ask') return [];
    const { sql } = step.question.facts;
    const params = typeof sql?.params === 'function' ? sql.params() : (sql?.params ?? []);
    const facts =
      sql === undefined
        ? ''
        : ` ${sql.effects.join(',')}${sql.opaque ? ' opaque' : ''} | ${sql.text}${params.length === 0 ? '' : ` | ${params.join('|')}`}`;
    return [{ ticket: step.ticket, line: `${step.question.phase}${facts}`.replaceAll('\n', ' ') }];
  });
  const close = steps.find((step) => step.kind === 'close');
  return {
    client: to('client'),
    upstream: to('upstream'),
    asked,
    closed:
      close === undefined ? undefined : `${close.reason}${close.fault === undefined ? '' : `: ${close.fault.message}`}`,
  };
}

/** Cuts bytes into the pieces that they arrive in. */
export type Slicer = (bytes: Buffer) => readonly Buffer[];

/** Plays the said lines of a transcript and writes down everything, said and answered. */
export function played(transcript: string, slicer: Slicer = (bytes) => [bytes]): string {
  const lines = transcript.split('\n').filter((line) => !/^(?:->|<-|\?|x)/.test(line));
  const session = newSession(
    Object.fromEntries(lines.flatMap((line) => (line.startsWith('@ ') ? [settingOf(line.slice(2))] : []))),
  );
  const state = { ticket: 0, out: [] as string[] };
  note(session.start(new Uint8Array()), state, false);
  if (!transcript.includes('@ opening')) {
    session.answer(state.ticket, { action: 'allow', notices: [] });
    session.receive('upstream', Buffer.concat(OPENED));
    state.out = [];
  }
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] as string;
    const mark = line.slice(0, 2);
    state.out.push(line);
    if (mark === '> ' || mark === '< ') {
      const [side, build] =
        mark === '> ' ? (['client', clientMessage] as const) : (['upstream', serverMessage] as const);
      const said = [build(line.slice(2))];
      for (; lines[index + 1]?.startsWith(mark); index += 1) {
        state.out.push(lines[index + 1] as string);
        said.push(build((lines[index + 1] as string).slice(2)));
      }
      note(
        slicer(Buffer.concat(said)).flatMap((part) => session.receive(side, part)),
        state,
      );
    } else if (mark === '= ') note(session.answer(state.ticket, decision(line.slice(2))), state);
    else if (line === '<end') note(session.end('upstream'), state);
    else if (line === '>end') note(session.end('client'), state);
  }
  return state.out.join('\n');
}

function settingOf(line: string): [string, unknown] {
  const [name, rest] = words(line);
  if (name === 'mask' || name === 'columns') return [name, rest.split(',')];
  return name === 'startup' ? [name, JSON.parse(rest) as unknown] : [name, Number(rest)];
}

function note(steps: readonly Step[], state: { ticket: number; out: string[] }, write = true): void {
  const outcome = outcomeOf(steps);
  state.ticket = outcome.asked.at(-1)?.ticket ?? state.ticket;
  if (!write) return;
  // A start-up packet has no type: it is told by its size.
  const startup = outcome.upstream.length > 8 && outcome.upstream.readUInt32BE(4) === 196_608;
  const up = startup
    ? [`start-up packet ${escaped(outcome.upstream.subarray(8))}`]
    : messagesIn(outcome.upstream).map(({ type, body }) => written(type, body, 'client'));
  for (const said of up) state.out.push(`-> ${said}`);
  for (const { type, body } of messagesIn(outcome.client)) state.out.push(`<- ${written(type, body, 'server')}`);
  for (const { line } of outcome.asked) state.out.push(`? ${line}`);
  if (outcome.closed !== undefined) state.out.push(`x ${outcome.closed}`);
}
