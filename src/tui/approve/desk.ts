import type { RequestPreview, RequestView } from '../../core/approval.js';

/** What the screen knows of the requests, from whoever reads them. */
export interface DeskState {
  /** Oldest first. Those that are over are in it for a while, as they ended. */
  readonly requests: readonly RequestView[];
  readonly line: LineState;
}

/** How the way to the agent is. */
export type LineState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** Tried again at `retryAtMs`, of the epoch. */
  | { readonly kind: 'lost'; readonly why: string; readonly retryAtMs: number };

/** One thing that happened earlier under the same correlation id. */
export interface EarlierStep {
  /** RFC 3339. */
  readonly at: string;
  readonly connection: string;
  /** One line of it: the prompt, the statement, the call. */
  readonly text: string;
  /** What policy said of it; empty where nothing was decided. */
  readonly action: string;
}

/** What decisions say unless the reviewer types another. */
export interface DecisionReasons {
  readonly approve?: string | undefined;
  readonly deny?: string | undefined;
}

/** What the screen asks for; each rejects with an error whose message is for people. */
export interface ReviewDesk {
  readonly get: () => DeskState;
  readonly subscribe: (listener: () => void) => () => void;
  /** @param duration as in `30m`; only for requests that may be approved for a time */
  approve(id: string, given: { readonly reason: string; readonly duration?: string }): Promise<RequestView>;
  deny(id: string, reason: string): Promise<RequestView>;
  preview(id: string): Promise<RequestPreview>;
  /** Undefined where the caller may not read them. */
  earlierSteps(request: RequestView): Promise<readonly EarlierStep[] | undefined>;
}
