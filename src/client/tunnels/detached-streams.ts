import type { DetachedStream, TunnelClient } from '../../tunnel/dial.js';
import type { KeeperTime } from './keeper-time.js';

/** As long as the agent waits for this CLI to come back, in ms. */
export const RESUME_WITHIN_MS = 60_000;

/** What a local client hears whose statement waited for approval: it was not run, that is certain. */
export const HELD_LOST = 'connection to the hoop agent was lost for 60 s; the statement that waited was not run';

/** Streams that held when their tunnel broke: each goes on over the next one, or is given up after 60 s. */
export class DetachedStreams {
  readonly #waiting = new Map<DetachedStream, () => void>();

  constructor(private readonly time: Pick<KeeperTime, 'after'>) {}

  add(stream: DetachedStream): void {
    // One that was being resumed when this tunnel broke as well has its time anew at the agent, and so here.
    this.#waiting.get(stream)?.();
    const cancel = this.time.after(RESUME_WITHIN_MS, () => {
      // It stays on the list: should there be a tunnel again, the agent hears that nobody waits any more.
      stream.lost({ code: 'unreachable', message: HELD_LOST });
    });
    this.#waiting.set(stream, cancel);
  }

  /** Those whose local client hung up meanwhile are resumed too, to be ended: their request is withdrawn at once. */
  resumeOver(tunnel: Pick<TunnelClient, 'resume'>): void {
    for (const [stream, cancel] of this.#waiting) {
      cancel();
      tunnel.resume(stream);
    }
    this.#waiting.clear();
  }

  close(): void {
    for (const [stream, cancel] of this.#waiting) {
      cancel();
      stream.lost({ code: 'unreachable', message: 'the port was closed' });
    }
    this.#waiting.clear();
  }
}
