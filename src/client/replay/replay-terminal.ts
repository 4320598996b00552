import headless from '@xterm/headless';
import type { IBufferCell, Terminal } from '@xterm/headless';

import type { ReplayEntry } from '../../recording/replay/entry.js';
import { TerminalFilter } from '../../recording/replay/terminal-filter.js';
import type { ScreenColour, ScreenPiece } from '../../core/replay-frame.js';

const USUAL = { cols: 80, rows: 24 };
const MAX_SIZE = 500;
/** Of the eight colours black and white are the terminal's own. */
const COLOURS: readonly (ScreenColour | undefined)[] = [
  undefined,
  'red',
  'green',
  'yellow',
  'blue',
  'magenta',
  'cyan',
  undefined,
];

/**
 * The terminal of a session, emulated: what its events wrote goes in, rows of text and colours come out. Nothing that
 * was recorded reaches the reader's terminal but as text.
 */
export class EmulatedTerminal {
  readonly #terminal: Terminal = new headless.Terminal({ ...USUAL, scrollback: 0, allowProposedApi: true });
  readonly #filter = new TerminalFilter();

  /** Begins anew, with the size kept. */
  reset(): void {
    this.#terminal.reset();
  }

  /** Takes what a terminal event holds; other events are nothing to it. */
  async take(entries: readonly ReplayEntry[]): Promise<void> {
    let data = '';
    for (const { event } of entries) {
      if (event.type !== 'tty') continue;
      const { columns, rows, from } = event;
      if (isSize(columns) && isSize(rows)) {
        await this.#write(data);
        data = '';
        this.#terminal.resize(columns, rows);
      }
      if (from === 'upstream' && typeof event['data'] === 'string') data += this.#filter.push(event['data']);
    }
    await this.#write(data);
  }

  /** What stands on the screen; the cursor's cell is turned around. */
  rows(): readonly (readonly ScreenPiece[])[] {
    const buffer = this.#terminal.buffer.active;
    const cell = buffer.getNullCell();
    return Array.from({ length: this.#terminal.rows }, (_, row) => {
      const line = buffer.getLine(buffer.viewportY + row);
      const pieces: ScreenPiece[] = [];
      for (let column = 0; line !== undefined && column < this.#terminal.cols; column += 1) {
        const shown = line.getCell(column, cell);
        if (shown === undefined || shown.getWidth() === 0) continue;
        const cursor = row === buffer.cursorY && column === buffer.cursorX;
        add(pieces, shown.getChars() === '' ? ' ' : shown.getChars(), look(shown, cursor));
      }
      return pieces;
    });
  }

  close(): void {
    this.#terminal.dispose();
  }

  #write(data: string): Promise<void> {
    return data === '' ? Promise.resolve() : new Promise((resolve) => this.#terminal.write(data, resolve));
  }
}

type Look = Omit<ScreenPiece, 'text'>;

function look(cell: IBufferCell, cursor: boolean): Look {
  const foreground = cell.isFgPalette() ? COLOURS[cell.getFgColor() % 8] : undefined;
  const background = !cell.isBgDefault();
  return {
    ...(foreground === undefined ? {} : { colour: foreground }),
    ...(cell.isBold() !== 0 ? { bold: true } : {}),
    ...(cell.isDim() !== 0 ? { dim: true } : {}),
    ...((cell.isInverse() !== 0 || background) !== cursor ? { inverse: true } : {}),
  };
}

function add(pieces: ScreenPiece[], text: string, given: Look): void {
  const last = pieces.at(-1);
  const same =
    last !== undefined &&
    last.colour === given.colour &&
    last.bold === given.bold &&
    last.dim === given.dim &&
    last.inverse === given.inverse;
  if (same) pieces[pieces.length - 1] = { ...last, text: last.text + text };
  else pieces.push({ text, ...given });
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= MAX_SIZE;
}
