/** What a span may say: names of the configuration, counts and codes; nothing that a user sent or a server answered. */
export type SpanValue = string | number | boolean | readonly string[];

/** One stretch of time of a trace, over. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: the trace begins here. */
  readonly parentId: string;
  readonly name: string;
  /** Whom it stands between: `server` answers a caller, `client` waits for an upstream. */
  readonly kind: 'internal' | 'server' | 'client';
  /** Milliseconds since the epoch, with parts of them. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, SpanValue>>;
  readonly failed: boolean;
}
