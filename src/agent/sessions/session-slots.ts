import { HoopError } from '../../core/errors.js';

/**
 * `limits.sessions`: counts a session from the moment its client asks, not from when the server has answered, so that
 * a rush can't pass the limit while servers are dialled.
 */
export class SessionSlots {
  #taken = 0;

  /**
   * @returns gives the slot back; a second call does nothing
   * @throws HoopError `limit` where all are taken
   */
  take(limit: number): () => void {
    if (this.#taken >= limit) throw new HoopError('limit', `more than ${String(limit)} sessions at once`);
    this.#taken += 1;
    let held = true;
    return () => {
      if (held) this.#taken -= 1;
      held = false;
    };
  }
}
