import type { RecordedEvent, SessionStart } from '../../core/events.js';
import type { SinkEventName } from '../../core/sink-event.js';
import type { Sinks } from '../../sinks/sinks.js';
import type { Notice } from '../notices.js';
import type { SessionRecorder } from '../sessions/session-host.js';
import { sinkEventId } from './sink-event-id.js';
import { approvalEvent, sessionEvent, type EventStamp, type SessionMoment } from './sink-events.js';

export interface SinkNewsOptions {
  readonly sinks: Pick<Sinks, 'wants' | 'accept'>;
  readonly nowMs: () => number;
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

  /** @returns does anybody want it? */
  notice(notice: Notice): boolean {
    const name = nameOf(notice);
    if (name === undefined || !this.options.sinks.wants(name)) return false;
    this.#push({ name, notice, stamp: { id: noticeId(name, notice), atMs: this.options.nowMs() } });
    return true;
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

  /** Something that was recorded before a crash, which may or may not have been told. @returns does anybody want it? */
  again(session: SessionMoment, atMs: number): boolean {
    const { event } = session;
    return this.#moment(event.type === 'decision' ? `decision.${event.action}` : event.type, session, atMs);
  }

  /** Moments that are not written down yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Writes down what waits; nothing waits afterwards. */
  settle(): void {
    while (this.#waiting.length > 0) this.#some();
  }

  #session(name: SinkEventName, session: SessionMoment): void {
    this.#moment(name, session, this.options.nowMs());
  }

  #moment(name: SinkEventName, session: SessionMoment, atMs: number): boolean {
    if (!this.options.sinks.wants(name)) return false;
    const { start, event } = session;
    const id = sinkEventId(name, start.session, event.type === 'decision' ? event.statement : 0);
    this.#push({ name, session, stamp: { id, atMs } });
    return true;
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

/** Of votes each is an event; of all else a request has one, and a grant. */
function noticeId(name: SinkEventName, { request, grant }: Notice): string {
  return sinkEventId(name, request.id, grant?.id ?? '', name === 'approval.voted' ? request.votes.length : 0);
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
