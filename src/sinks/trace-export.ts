import type { TracingSettings } from '../core/resources.js';
import type { Span } from '../core/span.js';
import { DeliveryFault, whyOf, type DeliveryHost } from './delivery.js';
import { agentResource, attribute, nanos, rejectedCount, signalUrl } from './otlp-encoding.js';
import { postJson, revealHeaders } from './post-json.js';
import { retryPause } from '../core/retry-pause.js';

/** Spans that may wait; what comes beyond is dropped and counted: spans are no evidence, and must not fill the memory. */
const MAX_WAITING = 8_192;
const BATCH = 512;
/** Between a span's end and its sending, at most. */
const GATHER_MS = 1_000;
/** A collector that is back is found within this. */
const LONGEST_PAUSE_MS = 30_000;
const KIND = { internal: 1, server: 2, client: 3 } as const;
const STATUS_ERROR = 2;

export interface TraceFigures {
  readonly exported: number;
  readonly dropped: number;
}

/**
 * Sends spans to an OTLP/HTTP collector, in JSON. Nothing waits for it: a collector that is away costs spans, never a statement.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
export class TraceExport {
  readonly #url: string;
  #waiting: Span[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #failures = 0;
  #exported = 0;
  #dropped = 0;
  #closed = false;
  readonly #stop = new AbortController();

  constructor(
    private readonly settings: TracingSettings,
    private readonly version: string,
    private readonly host: DeliveryHost,
  ) {
    this.#url = signalUrl(settings.url, 'traces');
  }

  get figures(): TraceFigures {
    return { exported: this.#exported, dropped: this.#dropped };
  }

  push(span: Span): void {
    if (this.#waiting.length >= MAX_WAITING || this.#closed) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(span);
    if (this.#waiting.length === BATCH && this.#failures === 0) this.#send();
    else this.#later(GATHER_MS);
  }

  /** Sends what waits, within `graceMs`; the rest is dropped. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const cut = setTimeout(() => {
      this.#stop.abort();
    }, graceMs);
    await this.#sending;
    while (this.#waiting.length > 0 && !this.#stop.signal.aborted && this.#failures === 0) await this.#sendBatch();
    clearTimeout(cut);
    this.#dropped += this.#waiting.length;
    this.#waiting = [];
  }

  #later(ms: number): void {
    if (this.#timer !== undefined || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#send();
    }, ms);
    this.#timer.unref();
  }

  #send(): void {
    if (this.#sending !== undefined || this.#closed) return;
    this.#sending = this.#sendBatch().finally(() => {
      this.#sending = undefined;
      if (this.#waiting.length > 0) this.#later(this.#pauseMs());
    });
  }

  #pauseMs(): number {
    return this.#failures === 0 ? 0 : Math.min(LONGEST_PAUSE_MS, retryPause(this.#failures, Math.random()));
  }

  /** Never throws. */
  async #sendBatch(): Promise<void> {
    const batch = this.#waiting.splice(0, BATCH);
    try {
      const { headers, ca } = this.settings;
      const revealed = await revealHeaders(headers, this.host);
      const body = JSON.stringify(otlpSpans(batch, this.version));
      const answer = await postJson({ url: this.#url, ca, headers: revealed, body, signal: this.#stop.signal });
      const refused = Math.min(rejectedCount(answer, 'rejectedSpans'), batch.length);
      this.#exported += batch.length - refused;
      this.#dropped += refused;
      if (this.#failures > 0) this.host.warn('traces are taken again');
      this.#failures = 0;
    } catch (error) {
      // The collector will never take these; of all else it may be away for a moment.
      if (error instanceof DeliveryFault && error.final) this.#dropped += batch.length;
      else this.#waiting.unshift(...batch);
      if (this.#failures === 0) this.host.warn(`traces are not taken: ${whyOf(error)}`);
      this.#failures += 1;
    }
  }
}

/** @see https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto */
export function otlpSpans(spans: readonly Span[], version: string): Readonly<Record<string, unknown>> {
  return {
    resourceSpans: [
      {
        resource: agentResource(version),
        scopeSpans: [{ scope: { name: 'hoop', version }, spans: spans.map(encoded) }],
      },
    ],
  };
}

function encoded(span: Span): Readonly<Record<string, unknown>> {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentId === '' ? {} : { parentSpanId: span.parentId }),
    name: span.name,
    kind: KIND[span.kind],
    startTimeUnixNano: nanos(span.startMs),
    endTimeUnixNano: nanos(span.endMs),
    attributes: Object.entries(span.attributes).map(([key, value]) => attribute(key, value)),
    ...(span.failed ? { status: { code: STATUS_ERROR } } : {}),
  };
}
