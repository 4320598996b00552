import type { ChainedEvent } from '../../core/events.js';
import type { Sense } from '../../core/replay-frame.js';
import {
  block,
  bounded,
  decisionOf,
  digestOf,
  endOf,
  failureOf,
  list,
  maskedOf,
  number,
  record,
  text,
} from './event-fields.js';
import { approvalWords } from './approval-lines.js';
import { TerminalLines } from '../replay/terminal-lines.js';
import { AnswerPieces } from './answer-pieces.js';
import { rowLines } from './row-lines.js';
import { answerLines, bodyLines, isAnswer, requestLines, requestTitle } from './http-lines.js';

export interface ReplayTextOptions {
  /** Takes the transcript, one line or several at a time, each without its line end. */
  readonly write: (text: string, sense: Sense) => void;
  /** Most characters of a statement, a message or a parameter list; 4,000 where left out. */
  readonly maxTextChars?: number;
  /** Most rows shown of one result; 20 where left out. */
  readonly maxRows?: number;
  /** Most characters of one cell; 40 where left out. */
  readonly maxCellChars?: number;
}

export interface TranscriptOptions extends ReplayTextOptions {
  /** One line for who and what, none for the seal or an ordinary end: for sessions among others. */
  readonly brief?: boolean;
  /** When the session began, in ms since the epoch, for a transcript that begins later. */
  readonly startMs?: number;
}

/**
 * A session as people read it: who, when and through what; each statement with its number, time
 * and verdict, its approval, its rows as a small table, its error; how it ended.
 *
 * Everything from the recording is escaped, so that nothing acts on the reader's terminal, and
 * bounded, with the true size stated. Proves nothing: `verifyRecording` does. Reads each member by
 * its type, since a file may hold anything.
 */
export async function replayText(events: AsyncIterable<ChainedEvent>, options: ReplayTextOptions): Promise<void> {
  const transcript = new Transcript(options);
  for await (const event of events) transcript.show(event);
  transcript.end();
}

export class Transcript {
  readonly #limits: { readonly text: number; readonly rows: number; readonly cell: number };
  #startMs = Number.NaN;
  #statement = 0;
  #ended = false;
  #noun = 'statement';
  #terminal: TerminalLines | undefined;
  readonly #pieces = new AnswerPieces();
  #piece: ChainedEvent | undefined;

  constructor(private readonly options: TranscriptOptions) {
    this.#startMs = options.startMs ?? Number.NaN;
    this.#limits = {
      text: options.maxTextChars ?? 4000,
      rows: options.maxRows ?? 20,
      cell: options.maxCellChars ?? 40,
    };
  }

  show(event: ChainedEvent): void {
    if (event.type === 'output' && this.#pieces.take(event)) {
      this.#piece = event;
      return;
    }
    this.#tellPieces();
    this.#show(event);
  }

  #tellPieces(): void {
    const told = this.#pieces.taken();
    if (told !== '' && this.#piece !== undefined) this.#line(this.#piece, told);
  }

  #show(event: ChainedEvent): void {
    switch (event.type) {
      case 'session.start':
        return this.#started(event);
      case 'statement':
        return this.#asked(event);
      case 'request':
        return this.#requested(event);
      case 'decision':
        return this.#line(event, decisionOf(event, this.#limits.text), verdictSense(event));
      case 'output':
        return this.#output(event);
      case 'result':
        return isAnswer(event)
          ? this.#lines(event, answerLines(event, this.#limits.text))
          : this.#line(event, this.#result(event), record(event['error'])['code'] === undefined ? 'plain' : 'failed');
      case 'tty':
        return this.#typed(event);
      case 'session.end':
        return this.#endedBy(event);
      case 'seal':
        if (this.options.brief === true) return;
        return this.#write(`sealed  by key ${text(event['keyId'])}`, 'about');
      default:
        return this.#other(event);
    }
  }

  #output(event: ChainedEvent): void {
    if ('rows' in event) {
      for (const line of rowLines(event, this.#limits)) this.#line(event, `│ ${line}`, 'rows');
      return;
    }
    if ('text' in event) this.#pieces.whole(event);
    this.#lines(event, bodyLines(event, this.#limits.text));
  }

  #other(event: ChainedEvent): void {
    const told = approvalWords(event, this.#limits.text);
    if (told === undefined) this.#write(`${this.#offset(event)}  ${text(event.type)}`, 'about');
    else this.#line(event, text(told.words), told.sense);
  }

  end(): void {
    this.#tellPieces();
    this.#tellUnfinished();
    this.#endLine();
    if (!this.#ended) this.#write('\nno end recorded: the session is live, or its recording was cut off', 'about');
  }

  #write(line: string, sense: Sense = 'plain'): void {
    this.options.write(line, sense);
  }

  #started(event: ChainedEvent): void {
    const user = record(event['user']);
    const connection = record(event['connection']);
    const client = record(event['client']);
    this.#startMs = Date.parse(event.at);
    if (this.options.brief === true) {
      const who = text(user['email']) === '' ? text(user['subject']) : text(user['email']);
      return this.#write(
        `session ${text(event['session'])}: ${who} on ${text(connection['name'])} (${text(connection['type'])}) as ${text(event['credential'])}`,
        'about',
      );
    }
    const email = text(user['email']);
    const line = (name: string, value: string): void => {
      if (value !== '') this.#write(`${name.padEnd(10)} ${value}`, 'about');
    };
    line('session', text(event['session']));
    line('user', email === '' ? text(user['subject']) : `${email} (${text(user['subject'])})`);
    line('groups', list(user['groups']).join(', '));
    line('issuer', text(user['issuer']));
    line('connection', `${text(connection['name'])} (${text(connection['type'])}) as ${text(event['credential'])}`);
    line(
      'client',
      [client['application'], client['address'], client['database']]
        .map(text)
        .filter((part) => part !== '')
        .join(', '),
    );
    line('correlation', text(event['correlationId']));
    line('started', text(event.at));
  }

  #asked(event: ChainedEvent): void {
    this.#statement = number(event['statement']) ?? 0;
    const via = text(event['via']);
    const bytes = number(event['textBytes']);
    this.#write(
      `\n#${text(event['statement'])}  ${this.#offset(event)}${via === '' || via === 'query' ? '' : `  ${via}`}`,
      'asked',
    );
    this.#write(indent(block(event['text'], this.#limits.text)), 'asked');
    if (bytes !== undefined) this.#write(`  … the whole text has ${bytes} bytes`);
    const params = list(event['params'], 'NULL');
    if (params.length > 0)
      this.#write(`  with ${this.#bounded(params.map((value, index) => `$${index + 1} = ${value}`).join(', '))}`);
  }

  #requested(event: ChainedEvent): void {
    this.#statement = number(event['statement']) ?? 0;
    this.#noun = 'request';
    this.#write(`\n#${text(event['statement'])}  ${this.#offset(event)}  ${requestTitle(event)}`, 'asked');
    for (const line of requestLines(event, this.#limits.text)) this.#write(indent(line));
  }

  #result(event: ChainedEvent): string {
    const rows = number(event['rows']);
    const duration = number(event['durationMs']);
    const failed = failureOf(event, this.#limits.text);
    const tag = text(event['tag']);
    // `UPDATE 1` gave no rows back, and `0 rows` beside it reads as if it had changed none.
    const told = rows !== undefined && (rows > 0 || /^(SELECT|FETCH|COPY|$)/.test(tag));
    const parts = [
      failed === '' ? tag : failed,
      told ? `${rows} ${rows === 1 ? 'row' : 'rows'}` : '',
      maskedOf(event),
      duration === undefined ? '' : `${duration} ms`,
      digestOf(event),
    ];
    return parts.filter((part) => part !== '').join(' · ');
  }

  /** What the terminal showed, line by line; keys are seen where they are echoed. */
  #typed(event: ChainedEvent): void {
    if (event['from'] !== 'upstream' || typeof event['data'] !== 'string') return;
    this.#terminal ??= new TerminalLines();
    this.#begin(event, 'terminal');
    for (const line of this.#terminal.push(event['data'])) this.#line(event, `┃ ${line}`, 'rows');
  }

  #endLine(): void {
    const rest = this.#terminal?.rest ?? '';
    this.#terminal = undefined;
    if (rest !== '') this.#write(indent(`┃ ${rest}`), 'rows');
  }

  /** What a model said of answers that never came whole. */
  #tellUnfinished(): void {
    for (const [statement, said] of this.#pieces.rest())
      if (this.#piece !== undefined)
        this.#line({ ...this.#piece, statement }, `assistant, cut off: ${block(said, this.#limits.text)}`);
  }

  #endedBy(event: ChainedEvent): void {
    this.#tellUnfinished();
    this.#ended = true;
    this.#endLine();
    const { statements, blocked, reason } = event;
    if (this.options.brief === true && ORDINARY_ENDS.has(reason)) return;
    // Nobody was connected, and nothing can have been run.
    if (reason === 'done') return this.#write(`\nended   ${this.#offset(event)}`, 'about');
    const noun = statements === 1 ? this.#noun : `${this.#noun}s`;
    const counts = `${text(statements)} ${noun}, ${text(blocked)} blocked`;
    this.#write(`\nended   ${this.#offset(event)}  ${endOf(reason)}: ${counts}`, 'about');
  }

  #lines(event: ChainedEvent, lines: readonly string[]): void {
    for (const line of lines) this.#line(event, line);
  }

  /** Says which statement what follows is about, where another one stands above. */
  #begin(event: ChainedEvent, title: string): void {
    const told = event['statement'];
    const statement = typeof told === 'number' ? told : Number.NaN;
    if (statement !== this.#statement)
      this.#write(`\n#${text(event['statement'])}  ${this.#offset(event)}  ${title}`, 'asked');
    this.#statement = statement;
  }

  /** A line about a statement; says which where another one stands above. */
  #line(event: ChainedEvent, line: string, sense: Sense = 'plain'): void {
    this.#begin(event, 'goes on');
    this.#write(indent(line), sense);
  }

  #offset(event: ChainedEvent): string {
    const ms = Date.parse(event.at) - this.#startMs;
    return Number.isNaN(ms) ? '?' : `+${(ms / 1000).toFixed(3)}s`;
  }

  #bounded(shown: string): string {
    return bounded(shown, this.#limits.text);
  }
}

const ORDINARY_ENDS: ReadonlySet<unknown> = new Set(['client', 'upstream', 'done']);

function verdictSense(event: ChainedEvent): Sense {
  switch (event['action']) {
    case 'block':
      return 'blocked';
    case 'approve':
      return 'held';
    case 'warn':
      return 'warned';
    default:
      return 'allowed';
  }
}

function indent(lines: string): string {
  return lines
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}
