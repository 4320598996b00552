import type { ApprovalEvent } from '../approvals/approvals.js';

/**
 * What happens in the agent that others than the one who caused it want to know at once: open screens of reviewers,
 * sinks. Told after it is stored.
 */
export type Notice = { readonly kind: 'approval' } & ApprovalEvent;

export type NoticeListener = (notice: Notice) => void;

/** Hands each notice to all who listen, in order; one who fails stops neither the others nor the one who tells. */
export class NoticeBoard {
  readonly #listeners = new Set<NoticeListener>();

  constructor(private readonly onFault: (error: unknown) => void) {}

  /** @returns what ends the listening */
  listen(listener: NoticeListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  tell(notice: Notice): void {
    for (const listener of this.#listeners) {
      try {
        listener(notice);
      } catch (error) {
        this.onFault(error);
      }
    }
  }
}
