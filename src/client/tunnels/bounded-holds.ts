import { HoopError } from '../../core/errors.js';
import type { AgentApi } from '../agent-api.js';
import type { ConnectionEvent } from './tunnel-keeper.js';

/** Withdraws each held statement of a program that nobody decided in time; the program sees its statement cancelled. */
export class BoundedHolds {
  readonly #timers = new Map<string, NodeJS.Timeout>();

  /** @param waitMs longest wait for one approval */
  constructor(
    private readonly api: Pick<AgentApi, 'post'>,
    private readonly waitMs: number,
    private readonly say: (line: string) => void,
  ) {}

  /** Takes what the agent says. */
  event(event: ConnectionEvent): void {
    const { event: name, request } = event;
    if (typeof request !== 'string') return;
    if (name === 'approval.waiting' && !this.#timers.has(request))
      this.#timers.set(
        request,
        setTimeout(() => void this.#withdraw(request), this.waitMs),
      );
    if (name === 'approval.resolved') this.#forget(request);
  }

  close(): void {
    for (const request of [...this.#timers.keys()]) this.#forget(request);
  }

  #forget(request: string): void {
    clearTimeout(this.#timers.get(request));
    this.#timers.delete(request);
  }

  async #withdraw(request: string): Promise<void> {
    this.say('approval not given in time; the request is withdrawn');
    try {
      await this.api.post(`/v1/requests/${request}/withdraw`, {});
    } catch (error) {
      // Decided meanwhile, or the tunnel's end withdraws it.
      if (!(error instanceof HoopError)) throw error;
    }
  }
}
