import type { RequestPreview } from '../core/approval.js';
import { HoopError } from '../core/errors.js';
import type { Identity } from '../core/identity.js';

/** Tries a held statement out for someone, and rolls it back. Rejects only where that can't be recorded. */
export type Preview = (reviewer: Identity) => Promise<RequestPreview>;

/** Most trials at once: each takes a connection of the upstream, and locks rows there while it lasts. */
const MAX_AT_ONCE = 8;

/** The held statements of this agent that can be tried out, by their requests. */
export class Previews {
  readonly #offered = new Map<string, Preview>();
  readonly #running = new Map<string, Promise<RequestPreview>>();

  /** @returns what withdraws it */
  offer(request: string, preview: Preview): () => void {
    this.#offered.set(request, preview);
    return () => {
      this.#offered.delete(request);
    };
  }

  /**
   * One trial of a request at a time for one person, however often it is asked for.
   *
   * @throws HoopError limit
   */
  async of(request: string, reviewer: Identity): Promise<RequestPreview> {
    const preview = this.#offered.get(request);
    if (preview === undefined)
      return { notes: [], refused: 'only a statement that is held now, of a connection that can try it out' };
    const key = JSON.stringify([request, reviewer.issuer, reviewer.subject]);
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    if (this.#running.size >= MAX_AT_ONCE) throw new HoopError('limit', 'too many previews at once');
    const begun = preview(reviewer).finally(() => this.#running.delete(key));
    this.#running.set(key, begun);
    return begun;
  }
}
