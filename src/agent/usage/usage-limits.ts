import type { ModelUsage } from '../../core/events.js';
import type { ApplyingLimit } from '../../policy/limits.js';
import type { LimitAmount, RuleMatch } from '../../policy/types.js';
import { wholeTokens, type UsageEstimate } from './model-cost.js';
import { spanEndMs } from './spans.js';

/** A counter, and until when it counts. */
export interface UsageSpan {
  readonly key: string;
  readonly span: string;
  readonly endsMs: number;
}

export interface UsageCounts {
  readonly requests: number;
  readonly tokens: number;
  readonly usd: number;
}

/** What the counters are kept in. Both throw where nothing can be counted. */
export interface UsageStore {
  read(span: UsageSpan): UsageCounts;
  add(span: UsageSpan, counts: UsageCounts): void;
}

/** A limit that a request does not fit in, as the match of a rule: `policy/limit` is what the record calls it. */
export interface LimitRefusal extends RuleMatch {
  readonly action: 'block';
  /** `price`: a limit on spending, and no price for the model. `store`: nothing can be counted. */
  readonly kind: LimitAmount['kind'] | 'price' | 'store';
  /** Until the span that is used up ends; 0 where waiting does not help. */
  readonly retryAfterSeconds: number;
}

/** One request that is counted; settled once, when its real figures are known. */
export interface UsageTicket {
  readonly spans: readonly UsageSpan[];
  readonly reserved: { readonly tokens: number; readonly usd: number };
}

export interface BegunUsage {
  /** Set where the request must not go on; then it is not counted. Of several, the one that lasts longest. */
  readonly refused: LimitRefusal | undefined;
  /** What observing policies would have refused. */
  readonly observed: readonly LimitRefusal[];
  /** Undefined where nothing counts the request. */
  readonly ticket: UsageTicket | undefined;
}

const NOTHING: BegunUsage = { refused: undefined, observed: [], ticket: undefined };

/**
 * Counts requests against limits. `begin` looks and reserves in one go, with what the request will take at most: of
 * requests that come at once only as many begin as fit.
 */
export class UsageLimits {
  readonly #open = new WeakSet<UsageTicket>();

  /** @param nowMs milliseconds since the epoch */
  constructor(
    private readonly store: UsageStore,
    private readonly nowMs: () => number,
    private readonly log: (message: string) => void,
  ) {}

  /** Call it right before a request goes up, when nothing else can refuse it any more. Never throws: what can't be counted is refused. */
  begin(limits: readonly ApplyingLimit[], estimate: UsageEstimate): BegunUsage {
    if (limits.length === 0) return NOTHING;
    try {
      return this.#begin(limits, estimate);
    } catch {
      this.log('usage can not be counted, so what limits count is refused');
      const enforced = limits.find((limit) => !limit.observed);
      if (enforced === undefined) return NOTHING;
      return { ...NOTHING, refused: refusal(enforced, 'store', 'usage can not be counted', 0) };
    }
  }

  /**
   * Puts what was used in the place of what was reserved. A second call for the same ticket does nothing.
   *
   * @param usage all zero where the upstream did nothing; undefined where it is not known: then what was reserved counts
   * @param costUsd undefined where it is not known
   */
  settle(ticket: UsageTicket | undefined, usage: ModelUsage | undefined, costUsd: number | undefined): void {
    if (ticket === undefined || !this.#open.delete(ticket) || usage === undefined) return;
    const tokens = wholeTokens(usage.inputTokens) + wholeTokens(usage.outputTokens) - ticket.reserved.tokens;
    const usd = costUsd !== undefined && costUsd >= 0 ? costUsd - ticket.reserved.usd : 0;
    try {
      for (const span of ticket.spans) this.store.add(span, { requests: 0, tokens, usd });
    } catch {
      this.log('usage can not be counted: what was reserved stays counted');
    }
  }

  #begin(limits: readonly ApplyingLimit[], estimate: UsageEstimate): BegunUsage {
    const nowMs = this.nowMs();
    const unfit = limits.flatMap((limit) => this.#unfit(limit, estimate, nowMs));
    const observed = unfit.filter((one) => one.observed);
    const [refused] = unfit
      .filter((one) => !one.observed)
      .sort((left, right) => waiting(right) - waiting(left) || (left.rule < right.rule ? -1 : 1));
    if (refused !== undefined) return { refused, observed, ticket: undefined };
    const reserved = { tokens: estimate.tokens, usd: estimate.costUsd ?? 0 };
    const ticket = { spans: limits.flatMap((limit) => spansOf(limit, nowMs)), reserved };
    for (const span of ticket.spans) this.store.add(span, { requests: 1, ...reserved });
    this.#open.add(ticket);
    return { refused: undefined, observed, ticket };
  }

  /** The longest of the refusals of one limit; empty where the request fits in. */
  #unfit(limit: ApplyingLimit, estimate: UsageEstimate, nowMs: number): LimitRefusal[] {
    const found = limit.amounts.flatMap((amount): LimitRefusal[] => {
      if (amount.kind === 'spend' && estimate.costUsd === undefined)
        return [
          refusal(limit, 'price', 'no price is configured for this model, so its spending can not be limited', 0),
        ];
      const endsMs = spanEndMs(amount.span, nowMs);
      const full = limit.keys.some((key) =>
        overfills(this.store.read({ key, span: amount.span, endsMs }), estimate, amount),
      );
      return full ? [refusal(limit, amount.kind, reached(amount), Math.ceil((endsMs - nowMs) / 1_000))] : [];
    });
    return found.sort((left, right) => waiting(right) - waiting(left)).slice(0, 1);
  }
}

/** Would this request take a counter over the amount? One that takes nothing never does. */
function overfills(counts: UsageCounts, estimate: UsageEstimate, { kind, most }: LimitAmount): boolean {
  const [before, more] = {
    requests: [counts.requests, 1],
    tokens: [counts.tokens, estimate.tokens],
    spend: [counts.usd, estimate.costUsd ?? 0],
  }[kind] as [number, number];
  return more > 0 && before + more > most;
}

function spansOf(limit: ApplyingLimit, nowMs: number): UsageSpan[] {
  const spans = [...new Set(limit.amounts.map((amount) => amount.span))];
  return limit.keys.flatMap((key) => spans.map((span) => ({ key, span, endsMs: spanEndMs(span, nowMs) })));
}

/** What never ends waits longest. */
function waiting({ retryAfterSeconds }: LimitRefusal): number {
  return retryAfterSeconds === 0 ? Number.POSITIVE_INFINITY : retryAfterSeconds;
}

function reached({ kind, span, most }: LimitAmount): string {
  const what = kind === 'spend' ? `${String(most)} US dollars` : `${String(most)} ${kind}`;
  return `the limit of ${what} a ${span} is reached`;
}

function refusal(
  limit: ApplyingLimit,
  kind: LimitRefusal['kind'],
  message: string,
  retryAfterSeconds: number,
): LimitRefusal {
  const own = limit.message === '' || kind === 'price' || kind === 'store' ? message : `${limit.message} (${message})`;
  const { policy, name, observed } = limit;
  return { policy, rule: name, action: 'block', message: own, observed, kind, retryAfterSeconds };
}
