import { join } from 'node:path';
import { matchesGlob } from '../core/glob.js';
import type { ApprovalFlowResource, SecretRef, SinkResource } from '../core/resources.js';
import { SINK_EVENTS, type SinkEvent, type SinkEventName } from '../core/sink-event.js';
import { markCleanEnd, takeCleanEnd } from './clean-end.js';
import type { Delivery, DeliveryHost } from './delivery.js';
import { fileDelivery } from './deliver/file.js';
import { otlpDelivery } from './deliver/otlp.js';
import { slackDelivery } from './deliver/slack.js';
import { syslogDelivery } from './deliver/syslog.js';
import { teamsDelivery } from './deliver/teams.js';
import { webhookDelivery } from './deliver/webhook.js';
import { DiskQueue } from './disk-queue.js';
import { SinkPump } from './sink-pump.js';

export interface SinksOptions {
  /** A folder in which each sink has one for its queue. */
  readonly dir: string;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly reveal: (reference: SecretRef) => Promise<string>;
  readonly info: (message: string) => void;
  readonly warn: (message: string) => void;
}

/** Figures of one sink since the agent started. */
export interface SinkFigures {
  readonly sink: string;
  readonly queued: number;
  readonly delivered: number;
  /** Attempts that failed; the events come again. */
  readonly failed: number;
  /** The other end will never take them. */
  readonly refused: number;
  /** The queue was full. */
  readonly dropped: number;
}

interface OpenSink {
  readonly resource: SinkResource;
  /** What decides whether it is the same sink after a reload. */
  readonly text: string;
  readonly queue: DiskQueue;
  readonly pump: SinkPump;
  /** By `events`. */
  readonly wanted: ReadonlySet<SinkEventName>;
  readonly dropped: number;
}

/** How long a sink that a reload took away may go on with what waits. */
const RELOAD_GRACE_MS = 2_000;

/** Where events go outside of the agent: each sink with its own queue on disk, and none that waits for another. */
export class Sinks {
  readonly #open = new Map<string, OpenSink>();
  readonly #closing = new Map<string, Promise<void>>();
  #byFlow = new Map<string, readonly string[]>();
  #wanted: ReadonlySet<SinkEventName> = new Set();
  #ended = false;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #lastWords: (() => void)[] = [];

  /** Is nothing missing in the queues that was accepted before? Not so after a crash. */
  readonly endedWell: boolean;

  constructor(private readonly options: SinksOptions) {
    this.endedWell = takeCleanEnd(options.dir);
  }

  /**
   * Takes these sinks; what waits for one that is there no more stays on disk, for when it comes back.
   *
   * @returns a line for each whose queue can't be opened: that one is told of nothing
   */
  configure(sinks: readonly SinkResource[], flows: readonly ApprovalFlowResource[]): Promise<readonly string[]> {
    const done = this.#turn.then(() => this.#configure(sinks, flows));
    this.#turn = done;
    return done;
  }

  async #configure(sinks: readonly SinkResource[], flows: readonly ApprovalFlowResource[]): Promise<readonly string[]> {
    const faults: string[] = [];
    for (const [name, open] of [...this.#open]) {
      if (sinks.some((sink) => sink.name === name && JSON.stringify(sink) === open.text)) continue;
      this.#open.delete(name);
      this.#closing.set(name, this.#close(open, RELOAD_GRACE_MS));
    }
    for (const sink of sinks) {
      if (this.#open.has(sink.name)) continue;
      // Two of them on one queue would be one too many.
      await this.#closing.get(sink.name);
      try {
        this.#open.set(sink.name, this.#start(sink));
      } catch (error) {
        faults.push(`sink ${sink.name}: its queue can not be opened (${codeOf(error)})`);
      }
    }
    this.#byFlow = new Map(flows.map(({ name, notify }) => [name, notify ?? []]));
    const notified = flows.some(({ notify }) => (notify ?? []).length > 0);
    const all = [...this.#open.values()].flatMap(({ wanted }) => [...wanted]);
    this.#wanted = new Set(notified ? [...all, ...SINK_EVENTS.filter(isOfApprovals)] : all);
    return faults;
  }

  /** Would any sink be told of it? */
  wants(name: SinkEventName): boolean {
    return this.#wanted.has(name);
  }

  /** Puts an event into the queue of each sink that wants it; never waits and never throws. */
  accept(event: SinkEvent, flows: readonly string[]): void {
    if (this.#ended) return;
    const named = new Set(isOfApprovals(event.type) ? flows.flatMap((flow) => this.#byFlow.get(flow) ?? []) : []);
    let line: string | undefined;
    for (const [name, { wanted, queue }] of this.#open) {
      if (!wanted.has(event.type) && !named.has(name)) continue;
      line ??= JSON.stringify(event);
      queue.append(line);
    }
  }

  figures(): readonly SinkFigures[] {
    return [...this.#open].map(([sink, { queue, pump, dropped }]) => ({
      sink,
      queued: queue.length,
      ...pump.counts,
      dropped,
    }));
  }

  /** Called when closing begins, for whoever has something that was not accepted yet. */
  beforeClose(callback: () => void): void {
    this.#lastWords.push(callback);
  }

  /** Lets what waits go out for at most `graceMs`; the rest is on disk when the promise resolves. */
  async close(graceMs: number): Promise<void> {
    for (const callback of this.#lastWords) callback();
    this.#ended = true;
    await this.#turn;
    await Promise.all([
      ...[...this.#open.values()].map((open) => this.#close(open, graceMs)),
      ...this.#closing.values(),
    ]);
    this.#open.clear();
    markCleanEnd(this.options.dir);
  }

  async #close({ resource, pump, queue }: OpenSink, graceMs: number): Promise<void> {
    await pump.close(graceMs);
    await queue.close();
    if (queue.length > 0) this.options.info(`sink ${resource.name}: ${String(queue.length)} events wait on disk`);
  }

  #start(resource: SinkResource): OpenSink {
    const { name } = resource;
    const { warn, info, random } = this.options;
    const counts = { dropped: 0 };
    const queue = new DiskQueue({
      dir: join(this.options.dir, name),
      maxBytes: resource.queueBytes,
      onDropped: (lines) => {
        counts.dropped += lines;
        warn(`sink ${name}: its queue is full; the oldest ${String(lines)} events were given up`);
      },
      onWritten: () => pump.wake(),
      onFault: (error) => {
        warn(`sink ${name}: its queue can not be written (${codeOf(error)})`);
      },
    });
    const pump: SinkPump = new SinkPump({
      queue,
      delivery: deliveryOf(resource, { ...this.options }),
      random,
      onFailing: (failures, why) => {
        warn(`sink ${name}: ${String(failures)} attempts failed, the last: ${why}; it is tried again`);
      },
      onRecovered: () => {
        info(`sink ${name}: delivers again`);
      },
      onRefused: (events, why) => {
        const ids = events.map(({ metadata }) => metadata.uid).join(', ');
        warn(`sink ${name}: not taken for good, so put aside: ${ids} (${why})`);
      },
    });
    const wanted = new Set(
      SINK_EVENTS.filter((event) => resource.events.some((pattern) => matchesGlob(pattern, event))),
    );
    return {
      ...{ resource, queue, pump, wanted },
      text: JSON.stringify(resource),
      get dropped() {
        return counts.dropped;
      },
    };
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}

function isOfApprovals(name: SinkEventName): boolean {
  return name.startsWith('approval.') || name.startsWith('grant.');
}

function deliveryOf(sink: SinkResource, host: DeliveryHost): Delivery {
  switch (sink.type) {
    case 'webhook':
      return webhookDelivery(sink, host);
    case 'slack':
      return slackDelivery(sink, host);
    case 'teams':
      return teamsDelivery(sink);
    case 'file':
      return fileDelivery(sink);
    case 'syslog':
      return syslogDelivery(sink);
    case 'otlp':
      return otlpDelivery(sink, host);
  }
}
