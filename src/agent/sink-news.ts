import type { RecordedEvent, SessionStart } from '../core/events.js';
import type { SinkEventName } from '../core/sink-event.js';
import type { Sinks } from '../sinks/sinks.js';
import type { Notice } from './notices.js';
import type { SessionRecorder } from './session-host.js';
import { approvalEvent, sessionEvent, type EventStamp, type SessionMoment } from './sink-events.js';

export interface SinkNewsOptions {
  readonly sinks: Pick<Sinks, 'wants' | 'accept'>;
  readonly stamp: () => EventStamp;
  /** What reviewers and requesters typed may hold secrets. */
  readonly withoutSecrets: (text: string) => string;
  readonly warn: (message: string) => void;
}

type Moment = { readonly name: SinkEventName; readonly stamp: EventStamp } & (
  { readonly notice: Notice } | { readonly session: SessionMoment }
);

/** Moments that may wait to be written down. */
const MAX_WAITING = 10_000;
/** So many are written down before others of the program have their turn. */
const AT_ONCE = 100;

/**
 * Hears what is recorded and what becomes of requests, and tells the sinks. On the way of a statement it costs a look-up and
 * at most a place in a list: everything else is done when the program has its hands free.
 */
export class SinkNews {
  readonly #waiting: Moment[] = [];
  #lost = 0;
  #soon = false;

  constructor(private readonly options: SinkNewsOptions) {}

  notice(notice: Notice): void {
    const name = nameOf(notice);
    if (name !== undefined && this.options.sinks.wants(name)) this.#push({ name, notice, stamp: this.options.stamp() });
  }

  /** A recorder of which the sinks are told as well, after it took the event down. Its events are masked already. */
  around(start: SessionStart, recorder: SessionRecorder): SessionRecorder {
    // What the decision is about: the last statement with its number, and of a session all but that is done.
    let asked: Extract<RecordedEvent, { type: 'statement' | 'request' }> | undefined;
    this.#session('session.start', { start, event: start, asked });
    return {
      record: (event) => {
        recorder.record(event);
        if (event.type === 'statement' || event.type === 'request') asked = event;
        else if (event.type === 'decision') this.#session(`decision.${event.action}`, { start, event, asked });
      },
      flush: () => recorder.flush(),
      seal: (end) => {
        this.#session('session.end', { start, event: end, asked: undefined });
        return recorder.seal(end);
      },
    };
  }

  /** Writes down what waits; nothing waits afterwards. */
  settle(): void {
    while (this.#waiting.length > 0) this.#some();
  }

  #session(name: SinkEventName, session: SessionMoment): void {
    if (this.options.sinks.wants(name)) this.#push({ name, session, stamp: this.options.stamp() });
  }

  #push(moment: Moment): void {
    if (this.#waiting.length >= MAX_WAITING) {
      if (this.#lost === 0) this.options.warn('more happens than sinks can be told of; events are given up');
      this.#lost += 1;
      return;
    }
    this.#waiting.push(moment);
    this.#later();
  }

  #later(): void {
    if (this.#soon) return;
    this.#soon = true;
    setImmediate(() => {
      this.#soon = false;
      this.#some();
      if (this.#waiting.length > 0) this.#later();
    });
  }

  #some(): void {
    const { sinks, withoutSecrets, warn } = this.options;
    const now = this.#waiting.splice(0, AT_ONCE);
    for (const moment of now) {
      if ('session' in moment) sinks.accept(sessionEvent(moment.name, moment.session, moment.stamp), []);
      else
        sinks.accept(
          approvalEvent(moment.name, moment.notice, moment.stamp, withoutSecrets),
          moment.notice.request.flows,
        );
    }
    if (this.#lost === 0 || this.#waiting.length > 0) return;
    warn(`${String(this.#lost)} events were given up before they reached the sinks; the recordings hold them`);
    this.#lost = 0;
  }
}

/** What sinks call it; undefined for what is no news outside. */
function nameOf({ type, request }: Notice): SinkEventName | undefined {
  switch (type) {
    case 'requested':
    case 'resolved':
      return request.breakGlass === true ? 'approval.break-glass' : `approval.${type}`;
    case 'voted':
    case 'reviewed':
      return `approval.${type}`;
    case 'grant.ended':
      return type;
    case 'updated':
      return undefined;
  }
}
