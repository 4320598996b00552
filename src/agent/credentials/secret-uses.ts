/** What the person of an ended session is told. */
export const SECRET_REVOKED = 'the credential of this connection was revoked';

/** Which sessions under way use which stored secret: revoking one ends them. */
export class SecretUses {
  readonly #uses = new Map<string, Set<() => void>>();

  /**
   * @param end ends the session
   * @returns what to call when it is over
   */
  hold(names: readonly string[], end: () => void): () => void {
    for (const name of names) {
      const ends = this.#uses.get(name) ?? new Set();
      ends.add(end);
      this.#uses.set(name, ends);
    }
    return () => {
      for (const name of names) {
        const ends = this.#uses.get(name);
        ends?.delete(end);
        if (ends?.size === 0) this.#uses.delete(name);
      }
    };
  }

  /** Ends every session that uses it. @returns how many there were */
  endAll(name: string): number {
    const ends = [...(this.#uses.get(name) ?? [])];
    for (const end of ends) end();
    return ends.length;
  }
}
