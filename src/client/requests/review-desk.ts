import type { RequestPreview, RequestView } from '../../core/approval.js';
import { HoopError } from '../../core/errors.js';
import type { AgentApi } from '../agent-api.js';
import { earlierSteps, type EarlierStep } from './earlier-steps.js';
import { followRequests, type RequestNews } from './request-follow.js';

/** How the way to the agent is. */
type LineState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | { readonly kind: 'lost'; readonly why: string; readonly retryAtMs: number };

interface DeskState {
  /** As `byUrgency` puts them. */
  readonly requests: readonly RequestView[];
  readonly line: LineState;
}

/** How long a request that is over stays in the list, in ms: long enough to read how it ended. */
const KEPT_MS = 20_000;

/** What holds somebody, oldest first; then what went ahead by break-glass and waits for a look. */
export function byUrgency(
  one: Pick<RequestView, 'id' | 'breakGlass'>,
  other: Pick<RequestView, 'id' | 'breakGlass'>,
): number {
  const later = Number(one.breakGlass ?? false) - Number(other.breakGlass ?? false);
  return later === 0 ? (one.id < other.id ? -1 : 1) : later;
}

/** The requests that wait for a reviewer, kept up to date by the agent, and what can be done with them. */
export class ReviewDesk {
  readonly #api: AgentApi;
  readonly #listeners = new Set<() => void>();
  readonly #requests = new Map<string, RequestView>();
  readonly #endings = new Set<NodeJS.Timeout>();
  readonly #stopping = new AbortController();
  /** Settles after `stop`; rejects where connecting again can't mend what broke. */
  ended: Promise<void> = Promise.resolve();
  #state: DeskState = { requests: [], line: { kind: 'connecting' } };

  constructor(api: AgentApi) {
    this.#api = api;
  }

  readonly get = (): DeskState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  /**
   * Follows the agent; resolves with the first word of it.
   *
   * @throws HoopError what the first connecting throws
   */
  async start(): Promise<void> {
    const stream: AgentApi['stream'] = (path) => this.#api.stream(path);
    const follow = async (): Promise<void> => {
      const { signal } = this.#stopping;
      for await (const news of followRequests({ stream, state: 'pending', mine: false, signal })) this.take(news);
    };
    this.ended = follow();
    let heard = (): void => undefined;
    const first = new Promise<void>((resolve) => {
      heard = this.subscribe(resolve);
    });
    await Promise.race([first, this.ended]).finally(() => heard());
  }

  /** Ends the following, and what it left to do later. */
  stop(): void {
    this.#stopping.abort();
    for (const timer of this.#endings) clearTimeout(timer);
    this.#endings.clear();
  }

  take(news: RequestNews): void {
    switch (news.kind) {
      case 'lost':
        this.#set({ kind: 'lost', why: news.why, retryAtMs: Date.now() + news.inMs });
        return;
      case 'snapshot':
        this.#requests.clear();
        for (const request of news.requests) this.#requests.set(request.id, request);
        this.#set({ kind: 'live' });
        return;
      case 'request':
        this.#keep(news.request);
        this.#set({ kind: 'live' });
    }
  }

  async approve(id: string, given: { readonly reason: string; readonly duration?: string }): Promise<RequestView> {
    return this.#decided(await this.#api.post<RequestView>(`/v1/requests/${id}/approve`, given));
  }

  async deny(id: string, reason: string): Promise<RequestView> {
    return this.#decided(await this.#api.post<RequestView>(`/v1/requests/${id}/deny`, { reason }));
  }

  async preview(id: string): Promise<RequestPreview> {
    try {
      return await this.#api.post<RequestPreview>(`/v1/requests/${id}/preview`, {});
    } catch (error) {
      if (!(error instanceof HoopError) || (error.code !== 'not_found' && error.code !== 'not_in_version')) throw error;
      throw new HoopError(error.code, 'a preview is not available', { cause: error });
    }
  }

  earlierSteps(request: RequestView): Promise<readonly EarlierStep[] | undefined> {
    return earlierSteps(this.#api, request);
  }

  /** The agent's own word; its push says the same a moment before or after. */
  #decided(request: RequestView): RequestView {
    this.#keep(request);
    this.#set(this.#state.line);
    return request;
  }

  #keep(request: RequestView): void {
    const known = this.#requests.get(request.id);
    if (request.state === 'pending' || request.mayDecide) {
      // An answer that was overtaken by the push of the end.
      if (known === undefined || known.state === 'pending') this.#requests.set(request.id, request);
      return;
    }
    // One that was never in the list has ended somewhere else.
    if (known === undefined || known.state === request.state) return;
    this.#requests.set(request.id, request);
    const timer = setTimeout(() => {
      this.#endings.delete(timer);
      this.#requests.delete(request.id);
      this.#set(this.#state.line);
    }, KEPT_MS).unref();
    this.#endings.add(timer);
  }

  #set(line: LineState): void {
    const requests = [...this.#requests.values()].sort(byUrgency);
    this.#state = { requests, line };
    for (const listener of [...this.#listeners]) listener();
  }
}
