import { Counter, Gauge, Histogram, Summary, type Registry } from 'prom-client';
import type { ApprovalResolved, DecisionEvent, ResultEvent, SessionStart } from '../../core/events.js';
import type { SinkFigures } from '../../sinks/sinks.js';
import type { TraceFigures } from '../../sinks/trace-export.js';
import { DecidedCounts, GatheredSeconds } from './gathered-figures.js';
import type { SessionRecorder } from './session-host.js';

/** Different values of one label; what comes after them is told as `other`. Rules and connections of many reloads add up. */
const MAX_VALUES = 1_000;
/** Seconds. */
const HOLD_BUCKETS = [1, 5, 15, 30, 60, 120, 300, 900, 3_600];
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What the figures of one session go to. */
interface Connected {
  readonly connection: string;
  readonly decided: (action: string) => void;
  /** In seconds. */
  readonly took: (seconds: number) => void;
  /** Rules that statements met whose results are awaited. */
  readonly met: Map<number, readonly string[]>;
}

/**
 * Rate, errors and duration of statements and requests, by connection and by rule; values masked; holds. Labels are names of
 * the configuration alone: no user, no id, nothing of a statement.
 */
export class SessionFigures {
  readonly #statements: DecidedCounts;
  readonly #rules: Counter<'connection' | 'rule' | 'action'>;
  readonly #ruleErrors: Counter<'connection' | 'rule'>;
  readonly #ruleSeconds: Summary<'connection' | 'rule'>;
  readonly #heldSeconds: Histogram<'connection'>;
  readonly #errors: Counter<'connection'>;
  readonly #seconds: GatheredSeconds;
  readonly #masked: Counter<'mask'>;
  readonly #holds: Counter<'outcome'>;
  readonly #waiting: Gauge;
  readonly #known = new Map<string, Set<string>>();

  constructor(registry: Registry) {
    const registers = [registry];
    const counter = <Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> =>
      new Counter({ name, help, labelNames, registers });
    this.#statements = new DecidedCounts({
      name: 'hoop_statements_total',
      help: 'Statements and requests, by connection and what was decided',
      registry,
    });
    this.#rules = counter('hoop_rules_met_total', 'Rules that statements and requests met', [
      'connection',
      'rule',
      'action',
    ]);
    const byRule = ['connection', 'rule'] as const;
    this.#ruleErrors = counter('hoop_rule_errors_total', 'Of those that met a rule, and ended in an error', [
      ...byRule,
    ]);
    this.#ruleSeconds = new Summary({
      name: 'hoop_rule_seconds',
      help: 'Of those that met a rule, from forwarded to the end of the answer',
      labelNames: byRule,
      percentiles: [],
      registers,
    });
    this.#heldSeconds = new Histogram({
      name: 'hoop_hold_seconds',
      help: 'How long statements and requests waited for people',
      labelNames: ['connection'],
      buckets: HOLD_BUCKETS,
      registers,
    });
    this.#errors = counter('hoop_statement_errors_total', 'Statements and requests that ended in an error', [
      'connection',
    ]);
    this.#masked = counter('hoop_masked_values_total', 'Values masked, by entity or mask', ['mask']);
    this.#holds = counter('hoop_holds_total', 'Statements and requests that waited for people, by outcome', [
      'outcome',
    ]);
    this.#waiting = new Gauge({ name: 'hoop_holds_waiting', help: 'Statements that wait for people now', registers });
    this.#seconds = new GatheredSeconds({
      name: 'hoop_statement_seconds',
      help: 'From forwarded to the end of the answer',
      buckets: BUCKETS,
      registry,
    });
  }

  /** A recorder of which the figures are taken as well. */
  around(start: SessionStart, recorder: SessionRecorder): SessionRecorder {
    const connection = this.#bounded('connection', start.connection.name);
    const of: Connected = {
      connection,
      decided: this.#statements.of(connection),
      took: this.#seconds.of(connection),
      met: new Map(),
    };
    const waiting = new Map<number, number>();
    return {
      record: (event) => {
        recorder.record(event);
        if (event.type === 'decision') this.#decided(of, event);
        else if (event.type === 'result') this.#ended(of, event);
        else if (event.type === 'approval.requested') {
          waiting.set(event.statement, performance.now());
          this.#waiting.inc();
        } else if (event.type === 'approval.resolved') this.#resolved(connection, event, waiting);
      },
      flush: () => recorder.flush(),
      seal: (end) => {
        this.#waiting.dec(waiting.size);
        waiting.clear();
        return recorder.seal(end);
      },
    };
  }

  #resolved(connection: string, { statement, outcome }: ApprovalResolved, waiting: Map<number, number>): void {
    this.#holds.inc({ outcome });
    const sinceMs = waiting.get(statement);
    if (sinceMs === undefined) return;
    waiting.delete(statement);
    this.#waiting.dec();
    this.#heldSeconds.observe({ connection }, (performance.now() - sinceMs) / 1_000);
  }

  #decided({ connection, decided, met }: Connected, event: DecisionEvent): void {
    const { action, statement } = event;
    decided(action);
    if (event.rules.length === 0) return;
    const rules = event.rules.map((rule) => this.#bounded('rule', rule));
    for (const rule of rules) this.#rules.inc({ connection, rule, action });
    if (action !== 'block' && met.size < MAX_VALUES) met.set(statement, rules);
  }

  #ended({ connection, took, met }: Connected, event: ResultEvent): void {
    const { statement, error, durationMs, masked } = event;
    if (error !== undefined) this.#errors.inc({ connection });
    if (durationMs !== undefined) took(durationMs / 1_000);
    // Of a text with several statements the first result counts.
    for (const rule of met.size === 0 ? [] : (met.get(statement) ?? [])) {
      if (error !== undefined) this.#ruleErrors.inc({ connection, rule });
      if (durationMs !== undefined) this.#ruleSeconds.observe({ connection, rule }, durationMs / 1_000);
    }
    if (met.size > 0) met.delete(statement);
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

/** How far the recordings are behind, asked for at each scrape. */
export function recorderMetrics(registry: Registry, { lag }: { lag(this: void): RecorderFigures }): void {
  const registers = [registry];
  new Gauge({
    ...{ name: 'hoop_recorder_events_unwritten', help: 'Events told that are not in a file yet', registers },
    collect() {
      this.set(lag().events);
    },
  });
  new Gauge({
    ...{ name: 'hoop_recorder_lag_seconds', help: 'How long the oldest of them has been waiting', registers },
    collect() {
      this.set(lag().oldestMs / 1_000);
    },
  });
  new Counter({
    ...{ name: 'hoop_recorder_faults_total', help: 'Recordings and checkpoints that could not be written', registers },
    collect() {
      this.reset();
      this.inc(lag().faults);
    },
  });
}

export interface RecorderFigures {
  readonly events: number;
  readonly oldestMs: number;
  readonly faults: number;
}
