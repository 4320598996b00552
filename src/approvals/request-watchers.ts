import type { ApprovalRequest } from '../core/approval.js';

type Watcher = (request: ApprovalRequest) => void;

/** Who wants to hear of each change of one request. */
export class RequestWatchers {
  readonly #watchers = new Map<string, Set<Watcher>>();

  /** @returns what ends the watching */
  add(id: string, watcher: Watcher): () => void {
    const watchers = this.#watchers.get(id) ?? new Set();
    this.#watchers.set(id, watchers.add(watcher));
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.#watchers.get(id) === watchers) this.#watchers.delete(id);
    };
  }

  tell(request: ApprovalRequest): void {
    for (const watcher of [...(this.#watchers.get(request.id) ?? [])]) watcher(request);
  }
}
