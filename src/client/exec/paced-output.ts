import type { Writable } from 'node:stream';

/** Parts are joined up to this many characters: a million rows are not a million writes. */
const JOINED_CHARACTERS = 32 * 1024;

/**
 * Writes results out at the reader's pace: `hold(true)` is called when it falls behind, `hold(false)`
 * when it has caught up, so that rows wait at the server and not in memory.
 */
export class PacedOutput {
  #joined = '';
  #flushPlanned = false;
  #hold: (held: boolean) => void = () => undefined;

  constructor(private readonly target: Writable) {
    target.on('drain', () => {
      this.#hold(false);
    });
  }

  onHold(hold: (held: boolean) => void): void {
    this.#hold = hold;
  }

  print(part: string | Uint8Array): void {
    if (typeof part !== 'string') {
      this.#flush();
      this.#write(part);
      return;
    }
    this.#joined += part;
    if (this.#joined.length >= JOINED_CHARACTERS) this.#flush();
    else if (!this.#flushPlanned) {
      this.#flushPlanned = true;
      setImmediate(() => {
        this.#flushPlanned = false;
        this.#flush();
      });
    }
  }

  /** Resolves when everything was handed to the system, or the reader has gone. */
  async finish(): Promise<void> {
    this.#flush();
    await new Promise<void>((resolve) => {
      this.target.write('', () => {
        resolve();
      });
    });
  }

  #flush(): void {
    if (this.#joined === '') return;
    const text = this.#joined;
    this.#joined = '';
    this.#write(text);
  }

  #write(part: string | Uint8Array): void {
    if (!this.target.write(part)) this.#hold(true);
  }
}
