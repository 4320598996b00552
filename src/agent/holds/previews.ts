import type { RequestPreview } from '../../core/approval.js';
import { HoopError } from '../../core/errors.js';
import type { Identity } from '../../core/identity.js';

/** For whom a held statement is tried out: one of its reviewers, or all of them because its flow says so. */
export type PreviewAsker = { readonly reviewer: Identity } | { readonly flow: string };

/** Tries a held statement out, and rolls it back. Rejects only where that can't be recorded. */
export type Preview = (asker: PreviewAsker) => Promise<RequestPreview>;

/** Most trials at once that people ask for: each takes a connection of the upstream, and locks rows there while it lasts. */
const MAX_AT_ONCE = 8;
/** Most trials at once for flows, besides; the others wait for their turn. */
const MAX_AHEAD = 4;

export const NOT_TRIED = 'only a statement that is held now, of a connection that can try it out';

interface Ahead {
  readonly request: string;
  readonly flow: string;
  readonly made: (preview: RequestPreview) => void;
}

/** The held statements of this agent that can be tried out, by their requests. */
export class Previews {
  readonly #offered = new Map<string, Preview>();
  readonly #running = new Map<string, Promise<RequestPreview>>();
  readonly #ahead: Ahead[] = [];
  #runningAhead = 0;

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
    if (preview === undefined) return { notes: [], refused: NOT_TRIED };
    const key = JSON.stringify([request, reviewer.issuer, reviewer.subject]);
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    if (this.#running.size >= MAX_AT_ONCE) throw new HoopError('limit', 'too many previews at once');
    const begun = preview({ reviewer }).finally(() => this.#running.delete(key));
    this.#running.set(key, begun);
    return begun;
  }

  /**
   * A trial for everybody who may review, in its turn; none where the offer is withdrawn before.
   *
   * @param made told what came of it, at most once
   */
  ahead(request: string, flow: string, made: (preview: RequestPreview) => void): void {
    this.#ahead.push({ request, flow, made });
    this.#nextAhead();
  }

  #nextAhead(): void {
    while (this.#runningAhead < MAX_AHEAD) {
      const next = this.#ahead.shift();
      if (next === undefined) return;
      const preview = this.#offered.get(next.request);
      if (preview === undefined) continue;
      this.#runningAhead += 1;
      void preview({ flow: next.flow })
        .catch((): RequestPreview => ({ notes: [], refused: 'that it was tried out can not be recorded' }))
        .then(next.made)
        .finally(() => {
          this.#runningAhead -= 1;
          this.#nextAhead();
        });
    }
  }
}
