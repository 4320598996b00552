import { createHash, randomBytes } from 'node:crypto';
import type { MuxStream } from './mux-stream.js';

/** How long a stream that holds waits for its CLI, in ms. */
export const RESUME_WITHIN_MS = 60_000;
const TOKEN_BYTES = 32;

/** What a mux of the agent needs of it; all streams of one mux are of one owner. */
export interface Resumption {
  /** @returns the token that resumes the stream */
  register(stream: MuxStream): string;
  /** The stream of this token, where it is this owner's. */
  find(token: string): MuxStream | undefined;
  forget(stream: MuxStream): void;
  /** The tunnel of a registered stream is gone: it waits, then it is over. */
  park(stream: MuxStream): void;
}

interface Held {
  readonly stream: MuxStream;
  readonly owner: string;
  timer?: NodeJS.Timeout;
}

/**
 * The agent's streams that hold, each under a token of 256 random bits that only its CLI was told, and only its owner
 * may use. Kept by the token's hash, so that looking up takes the same time whatever of it was right.
 */
export class HeldStreams {
  readonly #byHash = new Map<string, Held>();
  readonly #hashes = new Map<MuxStream, string>();

  /** How often one was taken up again. */
  resumed = 0;

  constructor(private readonly waitMs = RESUME_WITHIN_MS) {}

  get size(): number {
    return this.#byHash.size;
  }

  /** @param owner identity and connection, as one text: compared, never read */
  of(owner: string): Resumption {
    return {
      register: (stream) => {
        const token = randomBytes(TOKEN_BYTES).toString('base64url');
        const hash = hashOf(token);
        this.#byHash.set(hash, { stream, owner });
        this.#hashes.set(stream, hash);
        return token;
      },
      find: (token) => {
        const held = this.#byHash.get(hashOf(token));
        if (held?.owner !== owner) return undefined;
        clearTimeout(held.timer);
        this.resumed += 1;
        return held.stream;
      },
      forget: (stream) => {
        const hash = this.#hashes.get(stream);
        if (hash === undefined) return;
        clearTimeout(this.#byHash.get(hash)?.timer);
        this.#byHash.delete(hash);
        this.#hashes.delete(stream);
      },
      park: (stream) => {
        const held = this.#byHash.get(this.#hashes.get(stream) ?? '');
        if (held === undefined) return;
        clearTimeout(held.timer);
        held.timer = setTimeout(() => {
          stream.lost({ code: 'unreachable', message: 'the tunnel did not come back in time' });
        }, this.waitMs);
        held.timer.unref();
      },
    };
  }

  /** Ends every stream that waits: the agent goes. */
  close(): void {
    for (const { stream } of [...this.#byHash.values()]) {
      if (stream.isDetached) stream.lost({ code: 'unreachable', message: 'the agent is shutting down' });
    }
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
