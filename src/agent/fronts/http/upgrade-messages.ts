import { HoopError } from '../../../core/errors.js';
import type { KeyedHash, MaskCounts, MaskRule } from '../../../core/mask.js';
import type { StreamMasker } from '../../../masking/stream-masker.js';
import { readBody } from '../../../protocols/http/read-body.js';
import type { Redactor } from '../../../protocols/http/credential-redaction.js';
import type { Dialect, RequestReading } from '../../../protocols/http/dialect.js';
import { answerStage } from './answer-stage.js';
import { CredentialMessages } from './credential-messages.js';
import type { ConnectionRules } from './connection-rules.js';
import { UpstreamFault } from './refusals.js';
import { maskedBody } from './upstream-body.js';
import type { RelayStop, Side } from './upgrade-relay.js';

export interface MessageOptions {
  readonly dialect: Dialect;
  readonly reading: RequestReading;
  readonly uninspected: 'block' | 'allow';
  readonly redactor: Redactor | undefined;
  readonly maxMessageBytes: number;
  readonly hash: KeyedHash;
  /** Asked for each message: a mask that is added while a stream is open holds from then on. */
  rules(): ConnectionRules;
}

/** A message as it goes on, and as it may be recorded. */
export interface PassedMessage {
  readonly bytes: Buffer;
  /** Masked; undefined where it can't be, or must not be, shown. */
  record(): Buffer | undefined;
}

const BINARY: RelayStop = { code: 1008, reason: 'binary messages can not be inspected' };
const BROKEN_JSON: RelayStop = {
  code: 1008,
  reason: 'a message that begins like JSON is none, and its places are masked',
};

/** What becomes of the messages of one upgraded stream: the credential redacted, masked whole. */
export class MessageMasks {
  readonly counts: MaskCounts = new Map();
  /** What was passed without being looked at; empty where there was nothing. */
  notInspected = '';

  readonly #pieces: CredentialMessages;

  constructor(private readonly options: MessageOptions) {
    this.#pieces = new CredentialMessages(options.redactor?.pieces);
  }

  /** @returns how the stream ends instead, where the message can't go on */
  pass(from: Side, data: Buffer, binary: boolean): PassedMessage | RelayStop {
    const rules = this.options.rules();
    const whole = from === 'upstream' ? this.#redacted(data) : data;
    if (binary) return this.#binary(from, whole, rules);
    const clean = from === 'upstream' ? this.#pieces.clean(whole) : whole;
    try {
      const bytes = from === 'upstream' ? this.#answer(clean, rules) : this.#request(clean, rules);
      // What answers are masked by is part of what the record is masked by: as many rules are the same rules.
      const samePaths = rules.paths.record.length === rules.paths.answers.length;
      const same = from === 'upstream' && rules.record === rules.answers && samePaths;
      return { bytes, record: () => (same ? bytes : this.#forRecord(clean, rules)) };
    } catch (error) {
      if (error instanceof UpstreamFault || (error instanceof HoopError && error.code === 'protocol'))
        return BROKEN_JSON;
      throw error;
    }
  }

  /** The reason in a close frame. */
  reason(from: Side, text: string): string {
    const passed = this.pass(from, Buffer.from(text), false);
    return 'bytes' in passed ? passed.bytes.toString('utf8') : '';
  }

  #binary(from: Side, bytes: Buffer, rules: ConnectionRules): PassedMessage | RelayStop {
    const masked =
      from === 'upstream'
        ? rules.answers !== undefined || rules.paths.answers.length > 0
        : rules.requests !== undefined || rules.paths.requests.length > 0;
    if (masked) {
      if (this.options.uninspected === 'block') return BINARY;
      this.notInspected = 'binary messages';
    }
    return { bytes, record: () => undefined };
  }

  #answer(clean: Buffer, { answers, paths }: ConnectionRules): Buffer {
    return this.#masked(clean, answers, paths.answers, this.counts);
  }

  #request(data: Buffer, rules: ConnectionRules): Buffer {
    if (rules.requests === undefined && rules.paths.requests.length === 0) return data;
    const contentType = typeOf(data);
    const masked = maskedBody({ contentType }, readBody(data, contentType), {}, rules, this.options.hash);
    if (masked === undefined) return data;
    for (const [name, count] of masked.counts) this.counts.set(name, (this.counts.get(name) ?? 0) + count);
    return Buffer.from(masked.bytes);
  }

  /** Nothing at all rather than what could not be masked. */
  #forRecord(clean: Buffer, { record, paths }: ConnectionRules): Buffer | undefined {
    try {
      return this.#masked(clean, record, paths.record, new Map());
    } catch {
      return undefined;
    }
  }

  #redacted(data: Buffer): Buffer {
    const stream = this.options.redactor?.stream();
    if (stream === undefined) return data;
    const parts = [stream.push(data), stream.end()];
    return stream.found ? Buffer.concat(parts) : data;
  }

  /** Text that begins like JSON is masked as JSON, the rest as text. */
  #masked(data: Buffer, masker: StreamMasker | undefined, paths: readonly MaskRule[], counts: MaskCounts): Buffer {
    if (masker === undefined && paths.length === 0) return data;
    const { dialect, reading, maxMessageBytes, hash } = this.options;
    const stage = answerStage('text', {
      dialect,
      request: reading,
      masker,
      counts,
      maxEventBytes: maxMessageBytes,
      paths,
      hash,
      contentType: typeOf(data),
    });
    return stage === undefined ? data : Buffer.concat([stage.push(data), stage.end()]);
  }
}

/** Text that begins like a map or list has to be JSON where places of it are masked. */
function typeOf(text: Buffer): string {
  return /^\uFEFF?[ \t\r\n]*[{[]/.test(text.toString('utf8', 0, 4_096)) ? 'application/json' : 'text/plain';
}
