import type { RecordedEvent } from '../../core/events.js';
import type { SpanValue } from '../../core/span.js';
import { formatTraceparent, type TraceContext } from '../../core/trace-context.js';
import type { AnswerBody, Header } from '../../protocols/http/dialect.js';
import type { SessionRecorder } from '../sessions/session-recorder.js';
import { TracedStatement, type Look } from './traced-statement.js';
import type { Tracer } from './tracer.js';

/** Statements of one session under way at once, beyond which further ones are not traced. */
const MAX_OPEN = 1_000;
/** A request has no other. */
const REQUEST = 1;
/** Others are the client's own words. @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/ */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY']);

export interface TracedSession {
  readonly session: string;
  readonly connection: { readonly name: string; readonly type: string };
  /** Where the caller said that it is in a trace. */
  readonly parent: TraceContext | undefined;
  /** Monotonic milliseconds at which the client came. */
  readonly arrivedMs: number;
  /** Do masks apply to what is answered? */
  masks(): boolean;
}

/**
 * The spans of one session. What happened it hears from the record, so that no span tells of what is not recorded; the moments
 * that the record does not have, it is told. Nothing of a statement, a value or a user gets into a span.
 */
export class SessionTrace {
  readonly #open = new Map<number, TracedStatement>();
  /** When reading a part of an answer began; undefined while none is read. */
  #lookingMs: number | undefined;
  #look: { fromMs: number; toMs: number; busyMs: number } | undefined;
  readonly #isRequest: boolean;

  constructor(
    private readonly tracer: Tracer,
    private readonly session: TracedSession,
  ) {
    this.#isRequest = session.connection.type !== 'postgres';
  }

  /** The client is let in, and its upstream is there: what it asks comes next. */
  accepted(): void {
    const { session, tracer } = this;
    const context = tracer.begin(session.parent);
    if (context === undefined) return;
    const [fromMs, toMs] = [session.arrivedMs, tracer.nowMs()];
    tracer.end(context, session.parent, { name: 'hoop.accept', fromMs, toMs, attributes: this.#names() });
  }

  /** A statement or request is put to policy. */
  asked(statement: number): void {
    if (this.#open.has(statement)) return;
    const askedMs = this.tracer.nowMs();
    const traced = this.#begin(statement, askedMs);
    if (traced === undefined || !this.#isRequest) return;
    // All of a request is one trace, its way in too.
    const { arrivedMs: fromMs } = this.session;
    this.tracer.child(traced.context, { name: 'hoop.accept', fromMs, toMs: askedMs, attributes: {} });
  }

  /** Headers for the upstream of a request: what it does becomes a part of the trace, below the span that waits for it. */
  headers(given: readonly Header[]): readonly Header[] {
    const traced = this.#open.get(REQUEST);
    if (traced === undefined) return given;
    const { traceId, sampled } = traced.context;
    // The state of a trace that is not gone on with means nothing in this one.
    const goesOn = given.some(([name, value]) => name.toLowerCase() === 'traceparent' && value.includes(traceId));
    const dropped = goesOn ? ['traceparent'] : ['traceparent', 'tracestate'];
    const kept = given.filter(([name]) => !dropped.includes(name.toLowerCase()));
    return [...kept, ['traceparent', formatTraceparent({ traceId, spanId: traced.upstreamId, sampled })]];
  }

  /** A part of an answer is about to be read and masked. */
  looking(): void {
    this.#lookingMs = this.tracer.nowMs();
  }

  /** It was. @param busy false: nothing of the session runs any more */
  looked(busy: boolean): void {
    this.#tally();
    this.#lookingMs = undefined;
    if (!busy) this.#settle(Number.POSITIVE_INFINITY);
  }

  /** A stage of an answer of which the time is taken. */
  timed(stage: AnswerBody): AnswerBody {
    const during = (work: () => Uint8Array): Uint8Array => {
      this.looking();
      try {
        return work();
      } finally {
        this.looked(true);
      }
    };
    return {
      push: (part) => during(() => stage.push(part)),
      end: () => during(() => stage.end()),
      summary: () => stage.summary(),
    };
  }

  /** A recorder from which the trace hears what happened. */
  around(recorder: SessionRecorder): SessionRecorder {
    return {
      record: (event) => {
        recorder.record(event);
        this.#recorded(event);
      },
      flush: () => recorder.flush(),
      seal: (end) => {
        for (const traced of this.#open.values()) traced.end();
        this.#open.clear();
        return recorder.seal(end);
      },
    };
  }

  #recorded(event: RecordedEvent): void {
    if (!('statement' in event)) return;
    const traced =
      this.#open.get(event.statement) ??
      (event.type === 'decision' ? this.#begin(event.statement, this.tracer.nowMs()) : undefined);
    if (traced === undefined) return;
    if (event.type === 'request')
      traced.tell('http.request.method', METHODS.has(event.method) ? event.method : '_OTHER');
    else if (event.type === 'decision') traced.decided(event);
    else if (event.type === 'approval.requested') traced.held();
    else if (event.type === 'approval.resolved') traced.resolved(event);
    else if (event.type === 'result') {
      // Results come in order: nothing more comes of what was asked before.
      this.#settle(event.statement);
      traced.answered(event, this.#taken());
    }
  }

  #begin(statement: number, askedMs: number): TracedStatement | undefined {
    const { parent, arrivedMs } = this.session;
    if (this.#open.size >= MAX_OPEN) return undefined;
    const context = this.tracer.begin(parent);
    if (context === undefined) return undefined;
    const name = this.#isRequest ? 'hoop.request' : 'hoop.statement';
    const fromMs = this.#isRequest ? arrivedMs : askedMs;
    const attributes = { ...this.#names(), 'hoop.statement': statement };
    const traced = new TracedStatement(this.tracer, { name, context, parent, fromMs, askedMs, attributes });
    this.#open.set(statement, traced);
    return traced;
  }

  #names(): Readonly<Record<string, SpanValue>> {
    const { session, connection } = this.session;
    return { 'hoop.session': session, 'hoop.connection': connection.name, 'hoop.connection.type': connection.type };
  }

  /** Tells of those that are over and were asked before this one. */
  #settle(before: number): void {
    for (const [statement, traced] of this.#open) {
      if (statement >= before || !traced.over) continue;
      this.#open.delete(statement);
      traced.end();
    }
  }

  #tally(): void {
    const fromMs = this.#lookingMs;
    if (fromMs === undefined) return;
    const toMs = this.tracer.nowMs();
    this.#look ??= { fromMs, toMs, busyMs: 0 };
    this.#look.toMs = toMs;
    this.#look.busyMs += toMs - fromMs;
    this.#lookingMs = toMs;
  }

  /** What was looked at up to now belongs to one answer. */
  #taken(): Look | undefined {
    this.#tally();
    const look = this.#look;
    this.#look = undefined;
    return this.session.masks() ? look : undefined;
  }
}
