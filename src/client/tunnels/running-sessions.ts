import type { DetachedStream } from '../../tunnel/dial.js';
import { RESUME_WITHIN_MS } from './detached-streams.js';
import type { KeeperTime } from './keeper-time.js';

interface RunningSession {
  /** The tunnel that was last heard of it. */
  tunnel: object;
  /** Its statement waits for approval: the agent keeps it for whoever comes back. */
  holds: boolean;
}

/** After the time in which a stream can be resumed: by then it is known whether it was. In ms. */
const SETTLED_AFTER_MS = RESUME_WITHIN_MS + 1_000;

/**
 * The sessions of a connection that the agent has told of. Of those that end with their tunnel it can tell nothing any
 * more: without this, whoever counts what opens and closes would count them for ever.
 */
export class RunningSessions {
  readonly #sessions = new Map<string, RunningSession>();
  readonly #detached = new Set<DetachedStream>();
  /** Tunnels that are gone, with the fault of each that had one. */
  readonly #broken = new WeakMap<object, string | undefined>();

  /** @param ended hears of each session that ended without the agent's word, and why its tunnel is gone */
  constructor(
    private readonly time: Pick<KeeperTime, 'after'>,
    private readonly ended: (session: string, why: string | undefined) => void,
  ) {}

  /** Takes note of what the agent says over a tunnel. */
  note(tunnel: object, { event, session }: Readonly<Record<string, unknown>>): void {
    if (typeof session !== 'string') return;
    if (event === 'session.opened') this.#sessions.set(session, { tunnel, holds: false });
    if (event === 'session.closed') this.#sessions.delete(session);
    const known = this.#sessions.get(session);
    if (known === undefined) return;
    known.tunnel = tunnel;
    if (event === 'approval.waiting') known.holds = true;
    if (event === 'approval.resolved') known.holds = false;
  }

  /** A stream whose session may go on over the next tunnel. */
  detached(stream: DetachedStream): void {
    this.#detached.add(stream);
  }

  /** A tunnel is gone: with it what ran on it; what held has some time to be taken up again. */
  brokeOff(tunnel: object, why: string | undefined): void {
    this.#broken.set(tunnel, why);
    const holding = this.#detached.size > 0;
    this.#end((session) => session.tunnel === tunnel && !(holding && session.holds));
    if (!holding) return;
    this.time.after(SETTLED_AFTER_MS, () => {
      this.#settle();
    });
  }

  #settle(): void {
    for (const stream of this.#detached) if (stream.isClosed) this.#detached.delete(stream);
    // One that was taken up again ends with the agent's word.
    if (this.#detached.size === 0) this.#end((session) => this.#broken.has(session.tunnel));
  }

  #end(wanted: (session: RunningSession) => boolean): void {
    for (const [id, session] of this.#sessions) {
      if (!wanted(session)) continue;
      this.#sessions.delete(id);
      this.ended(id, this.#broken.get(session.tunnel));
    }
  }
}
