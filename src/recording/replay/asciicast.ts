import { displayWidth, toJsonLine } from '../../core/display.js';
import { number } from '../reading/event-fields.js';
import { atMsOf } from './entry.js';
import type { ReplayEntry } from './entry.js';
import { EntryTranscript } from './entry-transcript.js';
import { Pauses } from './pace.js';
import { TerminalFilter } from './terminal-filter.js';

export interface AsciicastOptions {
  /** Takes lines without their end. */
  readonly write: (line: string) => void;
  /** Longest pause, in ms. */
  readonly idleLimitMs?: number | undefined;
}

const COLUMNS = 120;
const ROWS = 32;
const MAX_SIZE = 1000;
/** The first of these says whether a session is one of a terminal; what comes before it is held, so many events at most. */
const TELLING = new Set(['tty', 'output', 'result', 'session.end']);
const MAX_HELD = 256;
/** SGR numbers of what a transcript's lines are about. */
const COLOURS: Readonly<Record<string, string>> = {
  about: '2',
  asked: '1',
  allowed: '32',
  warned: '33',
  blocked: '1;31',
  held: '33',
  failed: '31',
};

/**
 * A session as asciicast v2, for `asciinema play` and players on the web. A terminal session is what its terminal showed,
 * without what would act beyond the screen (`TerminalFilter`); anything else is its transcript, written as it happened.
 * What a client typed is not in it: it is seen where the terminal echoed it.
 *
 * @see https://docs.asciinema.org/manual/asciicast/v2/
 */
export async function writeAsciicast(entries: AsyncIterable<ReplayEntry>, options: AsciicastOptions): Promise<void> {
  const cast = new Cast(options);
  for await (const entry of entries) cast.take(entry);
  cast.end();
}

class Cast {
  readonly #filter = new TerminalFilter();
  readonly #transcript: EntryTranscript;
  readonly #pauses: Pauses;
  #seconds = 0;
  #begun = false;
  #terminal = false;
  /** Until it is known whether this is a terminal's session, and how large its window. */
  readonly #held: ReplayEntry[] = [];
  #lines = '';

  constructor(private readonly options: AsciicastOptions) {
    this.#pauses = new Pauses(options.idleLimitMs);
    this.#transcript = new EntryTranscript({
      write: (text, sense) => {
        const colour = COLOURS[sense];
        for (const line of text.split('\n')) {
          this.#lines += `${colour === undefined || line === '' ? line : `\u001b[${colour}m${line}\u001b[0m`}\r\n`;
        }
      },
    });
  }

  take(entry: ReplayEntry): void {
    if (this.#begun) return this.#show(entry);
    this.#held.push(entry);
    if (TELLING.has(entry.event.type) || this.#held.length >= MAX_HELD) this.#begin();
  }

  end(): void {
    if (!this.#begun) this.#begin();
    if (!this.#terminal) this.#transcript.end();
    this.#output(this.#terminal ? this.#filter.end() : this.#lines);
  }

  #begin(): void {
    const [first] = this.#held;
    const tty = this.#held.find(({ event }) => event.type === 'tty')?.event;
    this.#terminal = tty !== undefined;
    this.#begun = true;
    const startMs = first === undefined ? Number.NaN : atMsOf(first.event);
    const header = {
      version: 2,
      width: size(tty?.['columns'], this.#terminal ? 80 : COLUMNS),
      height: size(tty?.['rows'], this.#terminal ? 24 : ROWS),
      ...(Number.isNaN(startMs) ? {} : { timestamp: Math.floor(startMs / 1000) }),
      title: titleOf(first),
      env: { TERM: 'xterm-256color' },
    };
    this.options.write(toJsonLine(header));
    for (const entry of this.#held.splice(0)) this.#show(entry);
  }

  #show(entry: ReplayEntry): void {
    this.#seconds += this.#pauses.before(entry.event) / 1000;
    if (!this.#terminal) {
      this.#transcript.show(entry);
      this.#output(this.#lines);
      this.#lines = '';
      return;
    }
    const { event } = entry;
    if (event.type !== 'tty') return;
    const columns = number(event['columns']);
    const rows = number(event['rows']);
    if (columns !== undefined && rows !== undefined)
      this.#event('r', `${String(size(columns, 80))}x${String(size(rows, 24))}`);
    if (event['from'] === 'upstream' && typeof event['data'] === 'string')
      this.#output(this.#filter.push(event['data']));
  }

  #output(text: string): void {
    if (text !== '') this.#event('o', text);
  }

  #event(kind: 'o' | 'r', data: string): void {
    this.options.write(toJsonLine([Math.round(this.#seconds * 1e6) / 1e6, kind, data]));
  }
}

function size(value: unknown, usual: number): number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= MAX_SIZE ? value : usual;
}

function titleOf(first: ReplayEntry | undefined): string {
  const session = first?.source?.session ?? first?.event['session'];
  const name = typeof session === 'string' && displayWidth(session) <= 64 ? ` ${session}` : '';
  return `hoop session${name}`;
}
