import type { ApprovalResolved, DecisionEvent, ResultEvent } from '../../core/events.js';
import type { SpanValue } from '../../core/span.js';
import type { TraceContext } from '../../core/trace-context.js';
import { newSpanId, type Tracer } from './tracer.js';

/** How an answer was read and masked, in monotonic milliseconds. */
export interface Look {
  readonly fromMs: number;
  readonly toMs: number;
  /** Spent on it; the rest was waiting for more of the answer. */
  readonly busyMs: number;
}

/** Where a statement or request begins. */
export interface TracedBeginning {
  readonly name: 'hoop.statement' | 'hoop.request';
  readonly context: TraceContext;
  readonly parent: TraceContext | undefined;
  /** Monotonic milliseconds at which it came. */
  readonly fromMs: number;
  /** At which it was put to policy. */
  readonly askedMs: number;
  readonly attributes: Readonly<Record<string, SpanValue>>;
}

/** The spans of one statement or request: its own, and below it how it was decided, held, answered and masked. */
export class TracedStatement {
  /** Of the span that waits for the upstream, which hears of it before it is over. */
  readonly upstreamId = newSpanId();
  readonly #attributes: Record<string, SpanValue>;
  #heldMs: number | undefined;
  #endMs: number | undefined;
  #failed = false;

  constructor(
    private readonly tracer: Tracer,
    private readonly beginning: TracedBeginning,
  ) {
    this.#attributes = { ...beginning.attributes };
  }

  /** Refused or answered; what is answered may have further results. */
  get over(): boolean {
    return this.#endMs !== undefined;
  }

  get context(): TraceContext {
    return this.beginning.context;
  }

  tell(name: string, value: SpanValue): void {
    this.#attributes[name] = value;
  }

  decided({ action, rules, policyHash }: DecisionEvent): void {
    const attributes = { 'hoop.action': action, 'hoop.rules': rules, 'hoop.policy': policyHash };
    Object.assign(this.#attributes, attributes);
    this.#child('hoop.decide', this.beginning.askedMs, attributes);
    if (action === 'block') this.#over();
  }

  held(): void {
    this.#heldMs = this.tracer.nowMs();
  }

  resolved({ outcome, request }: ApprovalResolved): void {
    if (this.#heldMs !== undefined)
      this.#child('hoop.hold', this.#heldMs, { 'hoop.outcome': outcome, 'hoop.request': request });
    this.#heldMs = undefined;
    if (outcome !== 'approved') this.#over();
  }

  /** @param look how the answer was masked, where masks apply */
  answered(event: ResultEvent, look: Look | undefined): void {
    const nowMs = this.tracer.nowMs();
    const failed = event.error !== undefined || (event.status ?? 0) >= 500;
    if (event.durationMs !== undefined)
      this.tracer.child(this.context, {
        name: 'hoop.upstream',
        kind: 'client',
        spanId: this.upstreamId,
        fromMs: nowMs - event.durationMs,
        toMs: nowMs,
        attributes: resultAttributes(event),
        failed,
      });
    if (look !== undefined) {
      const { fromMs, toMs, busyMs } = look;
      const attributes = { 'hoop.busy_ms': Math.round(busyMs * 1_000) / 1_000, ...maskedAttributes(event) };
      this.tracer.child(this.context, { name: 'hoop.mask', fromMs, toMs, attributes });
    }
    if (event.status !== undefined) this.tell('http.response.status_code', event.status);
    this.#failed ||= failed;
    this.#endMs = nowMs;
  }

  /** Tells of it as a whole: nothing more of it comes. */
  end(): void {
    const { name, context, parent, fromMs } = this.beginning;
    if (this.#heldMs !== undefined) this.#child('hoop.hold', this.#heldMs, {});
    const toMs = this.#endMs ?? this.tracer.nowMs();
    const attributes = this.#attributes;
    this.tracer.end(context, parent, { name, kind: 'server', fromMs, toMs, attributes, failed: this.#failed });
  }

  #over(): void {
    this.#endMs = this.tracer.nowMs();
  }

  #child(name: string, fromMs: number, attributes: Readonly<Record<string, SpanValue>>): void {
    this.tracer.child(this.context, { name, fromMs, toMs: this.tracer.nowMs(), attributes });
  }
}

/** Counts and codes; a code is what the protocol has for it, never a message. */
function resultAttributes({ rows, bytes, status, error }: ResultEvent): Readonly<Record<string, SpanValue>> {
  return {
    ...(rows === undefined ? {} : { 'hoop.rows': rows }),
    ...(bytes === undefined ? {} : { 'hoop.bytes': bytes }),
    ...(status === undefined ? {} : { 'http.response.status_code': status }),
    ...(error === undefined ? {} : { 'error.type': error.code }),
  };
}

function maskedAttributes({ masked = {} }: ResultEvent): Readonly<Record<string, SpanValue>> {
  return Object.fromEntries(Object.entries(masked).map(([mask, count]) => [`hoop.masked.${mask}`, count]));
}
