import { randomBytes } from 'node:crypto';
import type { CancelKey } from '../../../protocols/postgres/opening/startup.js';

/** What a cancel key stands for. */
export interface Cancellable {
  /** Whose session it is; a key alone is not enough. */
  readonly owner: { readonly subject: string; readonly issuer: string };
  /** Resolves when nothing more of it is on its way; never rejects. */
  cancel(): Promise<void> | undefined;
}

/**
 * The cancel keys that hoop itself gave out. The server's own secrets never leave the agent, so that a
 * cancel can only ever meet the session it was made for. A session is known by the secret alone: the
 * process that stands beside it is the server's, and several servers may have the same.
 */
export class CancelRegistry {
  readonly #sessions = new Map<string, Cancellable>();

  issue(session: Cancellable): CancelKey {
    for (;;) {
      const bytes = randomBytes(8);
      const key = { pid: bytes.readUInt32BE(0) & 0x7fffffff, secret: new Uint8Array(bytes.subarray(4)) };
      const secret = nameOf(key);
      if (this.#sessions.has(secret)) continue;
      this.#sessions.set(secret, session);
      return key;
    }
  }

  release(key: CancelKey): void {
    this.#sessions.delete(nameOf(key));
  }

  /**
   * Nothing tells the caller whether the key was known: the protocol has no answer to a cancel. Resolves when the server
   * has taken it.
   */
  async cancel(key: CancelKey, caller: { readonly subject: string; readonly issuer: string }): Promise<void> {
    const session = this.#sessions.get(nameOf(key));
    if (session?.owner.subject === caller.subject && session.owner.issuer === caller.issuer) await session.cancel();
  }
}

function nameOf(key: CancelKey): string {
  return Buffer.from(key.secret).toString('hex');
}
