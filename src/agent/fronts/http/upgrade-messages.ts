import type { MaskCounts } from '../../../core/mask.js';
import type { StreamMasker } from '../../../masking/stream-masker.js';
import type { TextMasker } from '../../../masking/text-masker.js';
import type { Redactor } from '../../../protocols/http/credential-redaction.js';
import type { Dialect, RequestReading } from '../../../protocols/http/dialect.js';
import { answerStage } from './answer-stage.js';
import type { ConnectionRules } from './connection-rules.js';
import type { RelayStop, Side } from './upgrade-relay.js';

export interface MessageOptions {
  readonly dialect: Dialect;
  readonly reading: RequestReading;
  readonly uninspected: 'block' | 'allow';
  readonly redactor: Redactor | undefined;
  readonly maxMessageBytes: number;
  /** Asked for each message: a mask that is added while a stream is open holds from then on. */
  rules(): ConnectionRules;
}

/** A message as it goes on, and as it may be recorded. */
export interface PassedMessage {
  readonly bytes: Buffer;
  /** Masked; undefined where it can't be, or must not be, shown. */
  record(): Buffer | undefined;
}

const NOT_INSPECTED: RelayStop = { code: 1008, reason: 'binary messages can not be inspected' };

/** What becomes of the messages of one upgraded stream: the credential redacted, masked whole. */
export class MessageMasks {
  readonly counts: MaskCounts = new Map();
  /** What was passed without being looked at; empty where there was nothing. */
  notInspected = '';

  constructor(private readonly options: MessageOptions) {}

  /** @returns how the stream ends instead, where the message can't go on */
  pass(from: Side, data: Buffer, binary: boolean): PassedMessage | RelayStop {
    const rules = this.options.rules();
    const clean = from === 'upstream' ? this.#redacted(data) : data;
    if (binary) return this.#binary(from, clean, rules);
    return from === 'upstream' ? this.#answer(clean, rules) : this.#request(clean, rules);
  }

  /** The reason in a close frame. */
  reason(from: Side, text: string): string {
    const passed = this.pass(from, Buffer.from(text), false);
    return 'bytes' in passed ? passed.bytes.toString('utf8') : '';
  }

  #binary(from: Side, bytes: Buffer, rules: ConnectionRules): PassedMessage | RelayStop {
    const masker = from === 'upstream' ? rules.answers : rules.requests;
    if (masker !== undefined) {
      if (this.options.uninspected === 'block') return NOT_INSPECTED;
      this.notInspected = 'binary messages';
    }
    return { bytes, record: () => undefined };
  }

  #answer(clean: Buffer, { answers, record }: ConnectionRules): PassedMessage {
    const bytes = this.#masked(clean, answers, this.counts);
    return { bytes, record: () => (record === answers ? bytes : this.#masked(clean, record, new Map())) };
  }

  #request(data: Buffer, { requests, record }: ConnectionRules): PassedMessage {
    const bytes = requests === undefined ? data : maskedRequest(data, requests, this.counts);
    return { bytes, record: () => this.#masked(data, record, new Map()) };
  }

  #redacted(data: Buffer): Buffer {
    const stream = this.options.redactor?.stream();
    if (stream === undefined) return data;
    const parts = [stream.push(data), stream.end()];
    return stream.found ? Buffer.concat(parts) : data;
  }

  /** Text that begins like JSON is masked as JSON, the rest as text. */
  #masked(data: Buffer, masker: StreamMasker | undefined, counts: MaskCounts): Buffer {
    if (masker === undefined) return data;
    const { dialect, reading, maxMessageBytes } = this.options;
    const stage = answerStage('text', { dialect, request: reading, masker, counts, maxEventBytes: maxMessageBytes });
    return stage === undefined ? data : Buffer.concat([stage.push(data), stage.end()]);
  }
}

/** As the body of a request is masked: JSON as JSON, what is none as one text. */
function maskedRequest(data: Buffer, masker: TextMasker, counts: MaskCounts): Buffer {
  const masked = masker.maskJson(data, 0, data.length, counts);
  if (masked === undefined) return data;
  // The strategy `null` leaves nothing of a text in which something was found.
  return masked === null ? Buffer.from('null') : Buffer.from(masked);
}
