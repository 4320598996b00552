import { randomBytes } from 'node:crypto';
import type { Clock } from '../../core/clock.js';
import type { Span } from '../../core/span.js';
import type { TraceContext } from '../../core/trace-context.js';

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;

/** A stretch of time by the monotonic clock, and what it tells. */
export interface Stretch extends Pick<Span, 'name' | 'attributes'> {
  readonly kind?: Span['kind'];
  /** Monotonic milliseconds. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly failed?: boolean;
  /** Where it was told to others before it was over. */
  readonly spanId?: string;
}

export interface TracerOptions {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly monotonicMs: () => number;
  /** Of what comes without a trace of its own, 0 to 1. */
  readonly ratio: number;
  /** Takes what is over. */
  readonly export: (span: Span) => void;
}

/**
 * Decides what is traced, and makes spans of it: whoever calls within a trace decides for theirs, of the rest a part is.
 *
 * @see https://opentelemetry.io/docs/specs/otel/trace/sdk/#parentbased
 */
export class Tracer {
  constructor(private readonly options: TracerOptions) {}

  /** May anything be traced of a caller with this context? */
  wants(parent: TraceContext | undefined): boolean {
    return parent?.sampled ?? this.options.ratio > 0;
  }

  /** The context of a span that begins now; undefined where it is not traced. */
  begin(parent: TraceContext | undefined): TraceContext | undefined {
    if (parent !== undefined) return parent.sampled ? { ...parent, spanId: newSpanId() } : undefined;
    // Never 1: of a ratio of 1 all is traced, of 0 nothing.
    if (Math.random() >= this.options.ratio) return undefined;
    return { traceId: randomBytes(TRACE_ID_BYTES).toString('hex'), spanId: newSpanId(), sampled: true };
  }

  /** Monotonic milliseconds. */
  nowMs(): number {
    return this.options.monotonicMs();
  }

  /** A part of what `within` is the context of. */
  child(within: TraceContext, stretch: Stretch): void {
    this.#tell(within.traceId, stretch.spanId ?? newSpanId(), within.spanId, stretch);
  }

  /** What `context` was begun for is over. */
  end(context: TraceContext, parent: TraceContext | undefined, stretch: Stretch): void {
    this.#tell(context.traceId, context.spanId, parent?.spanId ?? '', stretch);
  }

  #tell(traceId: string, spanId: string, parentId: string, stretch: Stretch): void {
    const { name, attributes, fromMs, toMs, kind = 'internal', failed = false } = stretch;
    const { clock, monotonicMs, export: take } = this.options;
    // As of now: the wall clock may have been set since it began.
    const startMs = clock.nowMs() - (monotonicMs() - fromMs);
    take({ traceId, spanId, parentId, name, kind, startMs, endMs: startMs + (toMs - fromMs), attributes, failed });
  }
}

export function newSpanId(): string {
  return randomBytes(SPAN_ID_BYTES).toString('hex');
}
