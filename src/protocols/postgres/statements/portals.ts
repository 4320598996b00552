import { keptBytes } from '../wire/kept-bytes.js';
import type { Portal } from './run.js';

const MAX_PORTALS = 10_000;

/** The portals of one session, by name; the server may have closed some of them. */
export class Portals {
  readonly #byName = new Map<string, Portal>();
  #heldBytes = 0;

  /** About the memory that they take, in bytes: a text stays as long as a portal runs it. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  get(name: string): Portal | undefined {
    return this.#byName.get(name);
  }

  /** Of too many nothing is remembered: a portal that is not known is judged as the cursor that it may be. */
  set(name: string, portal: Portal): void {
    this.delete(name);
    if (this.#byName.size > MAX_PORTALS) {
      this.#byName.clear();
      this.#heldBytes = 0;
    }
    this.#byName.set(name, portal);
    this.#heldBytes += keptBytes(portal.run.text);
  }

  delete(name: string): void {
    const known = this.#byName.get(name);
    if (known === undefined) return;
    this.#byName.delete(name);
    this.#heldBytes -= keptBytes(known.run.text);
  }

  /** A transaction is over, and with it those that the server had opened. */
  transactionEnded(): void {
    for (const [name, portal] of this.#byName) if (portal.opened === true) this.delete(name);
  }
}
