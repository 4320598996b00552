import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { DecisionEvent, ResultEvent, SessionStart } from '../core/events.js';
import type { SinkFigures } from '../sinks/sinks.js';
import type { TraceFigures } from '../sinks/trace-export.js';
import type { SessionRecorder } from './session-host.js';

/** Different values of one label; what comes after them is told as `other`. Rules and connections of many reloads add up. */
const MAX_VALUES = 1_000;
/** Seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * Rate, errors and duration of statements and requests, by connection; rules met; values masked; holds. Labels are names of
 * the configuration alone: no user, no id, nothing of a statement.
 */
export class SessionFigures {
  readonly #statements: Counter<'connection' | 'action'>;
  readonly #rules: Counter<'rule' | 'action'>;
  readonly #errors: Counter<'connection'>;
  readonly #seconds: Histogram<'connection'>;
  readonly #masked: Counter<'mask'>;
  readonly #holds: Counter<'outcome'>;
  readonly #waiting: Gauge;
  readonly #known = new Map<string, Set<string>>();

  constructor(registry: Registry) {
    const registers = [registry];
    const counter = <Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> =>
      new Counter({ name, help, labelNames, registers });
    this.#statements = counter('hoop_statements_total', 'Statements and requests, by connection and what was decided', [
      'connection',
      'action',
    ]);
    this.#rules = counter('hoop_rules_met_total', 'Rules that statements and requests met', ['rule', 'action']);
    this.#errors = counter('hoop_statement_errors_total', 'Statements and requests that ended in an error', [
      'connection',
    ]);
    this.#masked = counter('hoop_masked_values_total', 'Values masked, by entity or mask', ['mask']);
    this.#holds = counter('hoop_holds_total', 'Statements and requests that waited for people, by outcome', [
      'outcome',
    ]);
    this.#waiting = new Gauge({ name: 'hoop_holds_waiting', help: 'Statements that wait for people now', registers });
    this.#seconds = new Histogram({
      name: 'hoop_statement_seconds',
      help: 'From forwarded to the end of the answer',
      labelNames: ['connection'],
      buckets: BUCKETS,
      registers,
    });
  }

  /** A recorder of which the figures are taken as well. */
  around(start: SessionStart, recorder: SessionRecorder): SessionRecorder {
    const connection = this.#bounded('connection', start.connection.name);
    let waiting = 0;
    return {
      record: (event) => {
        recorder.record(event);
        if (event.type === 'decision') this.#decided(connection, event);
        else if (event.type === 'result') this.#ended(connection, event);
        else if (event.type === 'approval.requested') {
          waiting += 1;
          this.#waiting.inc();
        } else if (event.type === 'approval.resolved') {
          this.#holds.inc({ outcome: event.outcome });
          if (waiting > 0) this.#waiting.dec();
          waiting = Math.max(0, waiting - 1);
        }
      },
      flush: () => recorder.flush(),
      seal: (end) => {
        this.#waiting.dec(waiting);
        waiting = 0;
        return recorder.seal(end);
      },
    };
  }

  #decided(connection: string, { action, rules }: DecisionEvent): void {
    this.#statements.inc({ connection, action });
    for (const rule of rules) this.#rules.inc({ rule: this.#bounded('rule', rule), action });
  }

  #ended(connection: string, { error, durationMs, masked }: ResultEvent): void {
    if (error !== undefined) this.#errors.inc({ connection });
    if (durationMs !== undefined) this.#seconds.observe({ connection }, durationMs / 1_000);
    if (masked === undefined) return;
    for (const [mask, count] of Object.entries(masked)) this.#masked.inc({ mask: this.#bounded('mask', mask) }, count);
  }

  #bounded(label: string, value: string): string {
    const known = this.#known.get(label) ?? new Set<string>();
    this.#known.set(label, known);
    if (known.has(value)) return value;
    if (known.size >= MAX_VALUES) return 'other';
    known.add(value);
    return value;
  }
}

/** Figures of the sinks, asked for at each scrape. */
export function sinkMetrics(registry: Registry, figures: () => readonly SinkFigures[]): void {
  const labelNames = ['sink'] as const;
  const registers = [registry];
  new Gauge({
    ...{ name: 'hoop_sink_queued', help: 'Events that wait for a sink', labelNames, registers },
    collect() {
      this.reset();
      for (const { sink, queued } of figures()) this.set({ sink }, queued);
    },
  });
  const counter = (name: string, help: string, value: (sink: SinkFigures) => number): Counter<'sink'> =>
    new Counter({
      ...{ name, help, labelNames, registers },
      collect() {
        this.reset();
        for (const one of figures()) this.inc({ sink: one.sink }, value(one));
      },
    });
  counter('hoop_sink_delivered_total', 'Events that a sink took', (one) => one.delivered);
  counter('hoop_sink_failed_total', 'Attempts that failed; the events come again', (one) => one.failed);
  counter('hoop_sink_refused_total', 'Events that a sink will never take', (one) => one.refused);
  counter('hoop_sink_dropped_total', 'Events given up because the queue was full', (one) => one.dropped);
}

/** Spans that the collector took, and those that it never will, asked for at each scrape. */
export function traceMetrics(registry: Registry, figures: () => TraceFigures): void {
  new Counter({
    name: 'hoop_trace_spans_total',
    help: 'Spans that ended, by what became of them',
    labelNames: ['outcome'] as const,
    registers: [registry],
    collect() {
      this.reset();
      const { exported, dropped } = figures();
      this.inc({ outcome: 'exported' }, exported);
      this.inc({ outcome: 'dropped' }, dropped);
    },
  });
}
