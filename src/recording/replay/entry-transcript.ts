import { escapeControls } from '../../core/display.js';
import type { Sense } from '../../core/replay-frame.js';
import { Transcript } from '../reading/replay-text.js';
import type { TranscriptOptions } from '../reading/replay-text.js';
import type { EntrySource, ReplayEntry } from './entry.js';

export interface EntryTranscriptOptions extends TranscriptOptions {
  /** Cells of the column for connections; grows with them where it is left out. */
  readonly connectionWidth?: number;
}

/**
 * A transcript of one session, or of several as one timeline: then each line has its time (UTC), its connection and
 * the end of its session's id, under the day.
 */
export class EntryTranscript {
  readonly #transcripts = new Map<string, Transcript>();
  #prefix = '';
  #day = '';
  #width: number;

  constructor(private readonly options: EntryTranscriptOptions) {
    this.#width = options.connectionWidth ?? 0;
  }

  show({ event, source }: ReplayEntry): void {
    if (source === undefined) return this.#transcript('', this.options).show(event);
    this.#place(event.at, source);
    this.#transcript(source.session, { ...this.options, brief: true, write: this.#marked }).show(event);
    // The last of a recording: thousands of sessions are not held to the end.
    if (event.type === 'seal') this.#transcripts.delete(source.session);
  }

  /** Says of one session that it has no end yet; several have ends of their own. */
  end(): void {
    this.#transcripts.get('')?.end();
  }

  #transcript(session: string, options: TranscriptOptions): Transcript {
    const known = this.#transcripts.get(session);
    if (known !== undefined) return known;
    const begun = new Transcript(options);
    this.#transcripts.set(session, begun);
    return begun;
  }

  readonly #marked = (text: string, sense: Sense): void => {
    for (const line of text.split('\n')) if (line.trim() !== '') this.options.write(`${this.#prefix}${line}`, sense);
  };

  #place(at: string, { session, connection }: EntrySource): void {
    const [date = '', time = ''] = escapeControls(at).replace(/Z$/, '').split('T');
    if (date !== this.#day) this.options.write(`${this.#day === '' ? '' : '\n'}${date}, UTC`, 'about');
    this.#day = date;
    const name = escapeControls(connection);
    this.#width = Math.max(this.#width, name.length);
    this.#prefix = `${time.slice(0, 12).padEnd(12)}  ${name.padEnd(this.#width)}  ${escapeControls(session).slice(-8)}  `;
  }
}
