import type { ScreenPiece } from '../../core/replay-frame.js';
import type { ReplayLog } from '../../recording/replay/log.js';
import type { EmulatedTerminal } from './replay-terminal.js';

/** Bytes of a recording that are emulated to come to a place far away: what stands on a screen was drawn within them. */
const EMULATED_BYTES = 2 * 1024 * 1024;
/** Events looked at for what says that this is a terminal's session. */
const LOOKED_AT = 64;
const BATCH = 500;

/** What stood on the terminal of a session at any of its events; nothing for other sessions. */
export class ReplayScreen {
  #terminal: EmulatedTerminal | undefined;
  /** The last event that was emulated, from 0. */
  #event = -1;
  #kind: 'unknown' | 'terminal' | 'other' = 'unknown';

  constructor(private readonly log: ReplayLog) {}

  /** @param event the last one that happened, from 0 */
  async at(event: number): Promise<readonly (readonly ScreenPiece[])[] | undefined> {
    if (event < 0 || !(await this.#isTerminal())) return undefined;
    // Loaded here: only sessions of terminals need it.
    this.#terminal ??= new (await import('./replay-terminal.js')).EmulatedTerminal();
    const near = this.#start(event);
    if (event < this.#event || near > this.#event + 1) {
      this.#terminal.reset();
      this.#event = near - 1;
    }
    while (this.#event < event) {
      const entries = await this.log.read(this.#event + 1, Math.min(BATCH, event - this.#event));
      if (entries.length === 0) break;
      await this.#terminal.take(entries);
      this.#event += entries.length;
    }
    return this.#terminal.rows();
  }

  close(): void {
    this.#terminal?.close();
  }

  async #isTerminal(): Promise<boolean> {
    if (this.#kind === 'unknown') {
      const first = await this.log.read(0, LOOKED_AT);
      if (first.some(({ event }) => event.type === 'tty')) this.#kind = 'terminal';
      else if (first.length === LOOKED_AT) this.#kind = 'other';
    }
    return this.#kind === 'terminal';
  }

  /** The first event to emulate to come to another. */
  #start(event: number): number {
    const { index } = this.log;
    const block = index.blockOfEvent(event);
    let first = block;
    while (first > 0 && index.offset(block) - index.offset(first - 1) < EMULATED_BYTES) first -= 1;
    return index.firstEvent(first);
  }
}
