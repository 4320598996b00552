import type { ExchangeSession } from '../exchange-session.js';
import type { MessageJudge } from './upgrade-judge.js';
import type { MessageMasks, PassedMessage } from './upgrade-messages.js';
import type { UpgradeRecord } from './upgrade-record.js';
import type { Relaying } from './upgrade-lane.js';
import type { RelayOptions, Side } from './upgrade-relay.js';

export interface TrafficParts {
  readonly session: ExchangeSession;
  readonly masks: MessageMasks;
  readonly record: UpgradeRecord;
  /** Undefined where the client's messages are no requests that anybody knows. */
  readonly judge: MessageJudge | undefined;
}

/** What the relay of one stream does with messages: decided where they are requests, masked, recorded. */
export class StreamTraffic implements Pick<RelayOptions, 'message' | 'leaves' | 'rest' | 'reason'> {
  constructor(private readonly parts: TrafficParts) {}

  message(from: Side, data: Buffer, binary: boolean): Relaying | Promise<Relaying> {
    const { judge } = this.parts;
    if (judge === undefined) return this.#passed(from, data, binary);
    if (from === 'client') return this.#asked(judge, data, binary);
    const heard = binary ? undefined : judge.hears(data.toString());
    const passed = this.#passed(from, data, binary, heard?.over === true ? judge : undefined);
    if ('code' in passed || heard === undefined) return passed;
    return { on: [...passed.on, ...heard.client], back: heard.upstream };
  }

  leaves(side: Side): void {
    this.parts.session.leave(side === 'client' ? 'the requester closed the stream' : 'the stream has ended');
  }

  rest(from: Side): readonly Buffer[] {
    return from === 'upstream' ? this.#recorded(from, this.parts.masks.rest(), false) : [];
  }

  reason(from: Side, text: string): string {
    return this.parts.masks.reason(from, text);
  }

  async #asked(judge: MessageJudge, data: Buffer, binary: boolean): Promise<Relaying> {
    const judged = await judge.judge(data, binary);
    if (!judged.goes) return { on: [], back: judged.back };
    const { masks, record } = this.parts;
    if (!judged.recorded) return this.#passed('client', data, binary);
    const passed = masks.pass('client', data, binary, judged.reading);
    if ('code' in passed) return this.#stopped(passed);
    // Its own event tells of it.
    for (const { bytes } of passed) record.count('client', bytes.length);
    return { on: passed.map(({ bytes }) => bytes) };
  }

  /** @param ends of a message that ends an answer: who knows what it said */
  #passed(from: Side, data: Buffer, binary: boolean, ends?: MessageJudge): Relaying {
    const passed = this.parts.masks.pass(from, data, binary);
    if ('code' in passed) return this.#stopped(passed);
    const last = passed.at(-1);
    if (ends === undefined || last === undefined) return { on: this.#recorded(from, passed, binary) };
    // Of a long stream not every message is kept, but what each answer said.
    const shown = last.record();
    const on = this.#recorded(from, [...passed.slice(0, -1), { bytes: last.bytes, record: () => shown }], binary);
    const said = shown === undefined ? undefined : ends.said(shown.toString());
    if (said !== undefined) this.parts.session.record(said);
    return { on };
  }

  #stopped<T>(stop: T): T {
    this.parts.session.refused();
    return stop;
  }

  #recorded(from: Side, passed: readonly PassedMessage[], binary: boolean): readonly Buffer[] {
    const { record, session, judge } = this.parts;
    return passed.map((one) => {
      const event = record.take(from, one, binary, judge?.statement ?? 1);
      if (event !== undefined) session.record(event);
      return one.bytes;
    });
  }
}
