import { escapeControls } from '../../core/display.js';
import type { AnswerPiece } from './answer-pieces.js';
import type { Print } from './result-writer.js';

/**
 * Prints a model's answer for people: the text of the first choice as it comes, then the others, each after an
 * empty line, then a line for each tool that it calls.
 */
export class AnswerWriter {
  readonly #others = new Map<number, string>();
  readonly #tools = new Map<string, { name: string; arguments: string }>();
  readonly #stops = new Set<string>();
  #first: number | undefined;
  /** Last character printed; empty before the first. */
  #last = '';

  /**
   * @param options.terminal what could act on a terminal is then shown, not sent
   * @param options.say takes a line for people
   */
  constructor(
    private readonly print: Print,
    private readonly options: { readonly terminal: boolean; readonly say: (line: string) => void },
  ) {}

  piece(piece: AnswerPiece): void {
    switch (piece.kind) {
      case 'text':
        this.#first ??= piece.choice;
        if (piece.choice === this.#first) this.#write(piece.text);
        else this.#others.set(piece.choice, (this.#others.get(piece.choice) ?? '') + piece.text);
        return;
      case 'tool': {
        const call = this.#tools.get(piece.key) ?? { name: '', arguments: '' };
        this.#tools.set(piece.key, {
          name: call.name + piece.name,
          arguments: call.arguments + piece.arguments,
        });
        return;
      }
      case 'stop':
        this.#stops.add(piece.reason);
    }
  }

  end(): void {
    this.#endLine();
    for (const text of this.#others.values()) {
      this.#write(`\n${text}`);
      this.#endLine();
    }
    for (const { name, arguments: given } of this.#tools.values())
      this.#write(`${escapeControls(name)}(${escapeControls(given)})\n`);
    for (const reason of this.#stops) this.options.say(`the answer is not complete: ${escapeControls(reason)}`);
  }

  #endLine(): void {
    if (this.#last !== '' && this.#last !== '\n') this.#write('\n');
  }

  #write(text: string): void {
    this.#last = text.at(-1) ?? this.#last;
    this.print(this.options.terminal ? escapeControls(text, { keepNewlines: true }) : text);
  }
}
