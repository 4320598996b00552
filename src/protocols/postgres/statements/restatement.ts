import { parseBody } from '../wire/client-messages.js';
import { closeMessage, parseMessage } from '../wire/messages.js';
import { withOriginals } from '../originals/originals.js';
import type { Candidate } from './prepared.js';
import type { ExecutedOriginals } from './run.js';
import { explains } from './run-effects.js';
import { StatementParts } from './statement-parts.js';

/** Gives a prepared statement's name to its text again, behind a Close of our own: the client sees nothing of it. */
export class Restatement extends StatementParts {
  /** A text that has to be parsed again before it is known what runs under its name. */
  needed(name: string): Candidate | undefined {
    const doubtful = this.prepared.doubtful(name);
    return doubtful !== undefined && this.#readsAlike(doubtful) ? doubtful : undefined;
  }

  /** Code that nobody could read has run since, and may have given the name to another text: it is given back. */
  restated(name: string, before: Candidate): Candidate {
    const message = parseMessage(name, before.text, before.types);
    const raw = parseBody(message)?.text ?? message;
    const executed = this.#executed(before);
    const rewritten = this.#rewritten(message, raw, before);
    const candidate: Candidate = {
      ...before,
      edits: rewritten?.edits,
      swaps: rewritten?.swaps,
      originalsFor: rewritten === undefined ? undefined : executed,
    };
    this.prepared.restate(name, candidate);
    this.expected.push({ kind: 'close', statement: undefined, held: [], injected: true });
    this.desk.host.toServer(closeMessage(name));
    this.expected.push({ kind: 'parse', name, candidate, injected: true });
    this.desk.host.toServer(rewritten?.message ?? message);
    // The server shows it under its name.
    if (rewritten !== undefined && name !== '') this.desk.originalsKept();
    return candidate;
  }

  /**
   * An EXECUTE of the extended protocol is parsed long before it is certain what runs under the name in it: the values
   * behind its pseudonyms are put in, or taken out, when it is bound.
   *
   * @returns what the server holds now; undefined where nothing had to be changed
   */
  forExecute(name: string, before: Candidate | undefined): Candidate | undefined {
    if (before === undefined || before.bySql === true || !before.facts.effects.includes('execute')) return undefined;
    if (this.desk.options.masks().columns === undefined || !this.#readsAlike(before)) return undefined;
    const message = parseMessage(name, before.text, before.types);
    const rewritten = this.#rewritten(message, parseBody(message)?.text ?? message, before);
    const wanted = rewritten === undefined ? undefined : this.#executed(before);
    const isSo =
      before.originalsFor?.held === wanted?.held && (wanted === undefined || this.prepared.isSettled(before));
    return isSo ? undefined : this.restated(name, before);
  }

  /** May a portal run whose text has values for what a name stood for when it was bound? */
  holds({ name, held }: ExecutedOriginals): boolean {
    return this.sqlPrepared.certain(name) === held;
  }

  #rewritten(message: Uint8Array, raw: Uint8Array, { text, facts }: Candidate): ReturnType<typeof withOriginals> {
    const held = (name: string): Candidate | undefined => this.sqlPrepared.certain(name);
    const { encoding } = this.reader;
    return withOriginals(message, raw, text, this.desk.options.masks(), encoding, held, explains(facts));
  }

  /** The one statement that the text executes, where that is certain. */
  #executed({ text, facts }: Candidate): ExecutedOriginals | undefined {
    if (!facts.effects.includes('execute')) return undefined;
    const [name, another] = this.desk.options.sql.read(text).executes;
    const held = name === undefined || another !== undefined ? undefined : this.sqlPrepared.certain(name);
    return name === undefined || held === undefined ? undefined : { name, held };
  }

  #readsAlike({ text, types }: Candidate): boolean {
    const parsed = parseBody(parseMessage('', text, types));
    return parsed !== undefined && this.reader.readsAs(parsed.text, text);
  }
}
