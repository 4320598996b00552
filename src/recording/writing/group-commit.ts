/**
 * Shares slow work among those who wait for it: whoever comes while it runs is served by one more round, since the
 * running one may have begun before what they did.
 */
export class GroupCommit {
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(private readonly work: () => Promise<void>) {}

  /** Everything done before this call is covered when the promise resolves. Rejects with what its round failed with. */
  run(): Promise<void> {
    if (this.#running === undefined) return (this.#running = this.#round());
    const next = (): Promise<void> => {
      this.#next = undefined;
      return (this.#running = this.#round());
    };
    this.#next ??= this.#running.then(next, next);
    return this.#next;
  }

  get idle(): boolean {
    return this.#running === undefined;
  }

  async #round(): Promise<void> {
    try {
      await this.work();
    } finally {
      if (this.#next === undefined) this.#running = undefined;
    }
  }
}
