import { HoopError } from '../../../../core/errors.js';
import type { KeyedHash, MaskCounts, MaskRule } from '../../../../core/mask.js';
import type { StreamMasker } from '../../../../masking/streams/stream-masker.js';
import { readBody } from '../../../../protocols/http/bodies/read-body.js';
import type { Redactor } from '../../../../protocols/http/credentials/credential-redaction.js';
import type { Dialect, RequestReading } from '../../../../protocols/http/dialect.js';
import { answerStage } from '../answers/answer-stage.js';
import { CredentialMessages } from '../credential-messages.js';
import type { ConnectionRules } from '../connection-rules.js';
import { UpstreamFault } from '../refusals.js';
import { maskedBody } from '../upstream-body.js';
import type { RelayStop } from './upgrade-lane.js';
import type { Side } from './upgrade-relay.js';
import { knownMessage, MessageTexts } from './upgrade-texts.js';

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

const BINARY = 'binary messages';
/** UTF-16 and UTF-32 hold them, and who reads a text by its looks takes it for one of these. */
const ZEROS = 'texts with bytes of zero';
const SPLIT: RelayStop = { code: 1008, reason: 'text that may be split over messages can not be masked' };
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
  readonly #texts: MessageTexts;
  /** Of the record, where it is masked in another way. */
  readonly #recordTexts: MessageTexts;

  constructor(private readonly options: MessageOptions) {
    const plain = options.dialect.provider === '';
    this.#pieces = new CredentialMessages(options.redactor?.pieces);
    this.#texts = new MessageTexts(this.counts, plain);
    this.#recordTexts = new MessageTexts(new Map(), plain);
  }

  /**
   * @param reading of a client's message that could be read: where its content stands
   * @returns what goes on in its place, in order; how the stream ends instead, where the message can't go on
   */
  pass(
    from: Side,
    data: Buffer,
    binary: boolean,
    reading: Pick<RequestReading, 'places'> = {},
  ): readonly PassedMessage[] | RelayStop {
    const rules = this.options.rules();
    const whole = from === 'upstream' ? this.#redacted(data) : data;
    if (binary) return listed(this.#unread(from, whole, rules, BINARY));
    const clean = from === 'upstream' ? this.#pieces.clean(whole) : whole;
    return (
      (from === 'upstream' ? this.#pieceOfText(clean, rules) : undefined) ??
      listed(this.#whole(from, clean, rules, reading))
    );
  }

  /** What was held of texts that no more comes of: the upstream's side is over. */
  rest(): readonly PassedMessage[] {
    return this.#texts.rest().map((text) => passedText(text));
  }

  /** Of a message that holds pieces of texts; undefined where it is none, or nothing is masked. */
  #pieceOfText(clean: Buffer, rules: ConnectionRules): readonly PassedMessage[] | RelayStop | undefined {
    const { answers, record, paths } = rules;
    const masks = answers !== undefined || paths.answers.length > 0;
    if (!masks && record === undefined) return undefined;
    const text = clean.toString();
    const known = knownMessage(text);
    const { dialect, uninspected } = this.options;
    // What a model says comes in pieces, and what is to be masked may be cut in two.
    const unread =
      known === undefined
        ? dialect.provider === ''
          ? ''
          : 'text in pieces'
        : (known.known.unread?.(known.tree) ?? '');
    if (masks && unread !== '') {
      if (uninspected === 'block')
        return known === undefined ? SPLIT : { ...SPLIT, reason: `${unread} can not be inspected` };
      this.notInspected = unread;
    }
    if (known === undefined) return undefined;
    try {
      const going = (answers === undefined ? [text] : this.#texts.take(text, answers)).map((one) =>
        this.#masked(Buffer.from(one), undefined, paths.answers, this.counts),
      );
      const same = record === answers && paths.record.length === paths.answers.length;
      return going.map((bytes, index) => ({
        bytes,
        record: () => (same ? bytes : index < going.length - 1 ? Buffer.alloc(0) : this.#recordOf(text, rules)),
      }));
    } catch (error) {
      if (error instanceof HoopError || error instanceof UpstreamFault)
        return { code: 1008, reason: 'a message can not be read in one way alone' };
      throw error;
    }
  }

  #recordOf(text: string, { record, paths }: ConnectionRules): Buffer | undefined {
    return maskedForRecord(() => {
      const shown = record === undefined ? [text] : this.#recordTexts.take(text, record);
      return this.#masked(Buffer.from(shown.join('\n')), undefined, paths.record, new Map());
    });
  }

  /** A message that is a text of its own. */
  #whole(
    from: Side,
    clean: Buffer,
    rules: ConnectionRules,
    reading: Pick<RequestReading, 'places'> = {},
  ): PassedMessage | RelayStop {
    if (from === 'client' && clean.includes(0)) return this.#unread(from, clean, rules, ZEROS);
    try {
      const bytes = from === 'upstream' ? this.#answer(clean, rules) : this.#request(clean, rules, reading);
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
    const rules = this.options.rules();
    const passed = this.#whole(
      from,
      from === 'upstream' ? this.#redacted(Buffer.from(text)) : Buffer.from(text),
      rules,
    );
    return 'bytes' in passed ? passed.bytes.toString('utf8') : '';
  }

  /** What nothing is found in: it goes on where nothing is masked, or the connection lets it pass. */
  #unread(from: Side, bytes: Buffer, rules: ConnectionRules, what: string): PassedMessage | RelayStop {
    const masked =
      from === 'upstream'
        ? rules.answers !== undefined || rules.paths.answers.length > 0
        : rules.requests !== undefined || rules.paths.requests.length > 0;
    if (masked) {
      if (this.options.uninspected === 'block') return { code: 1008, reason: `${what} can not be inspected` };
      this.notInspected = what;
    }
    return { bytes, record: () => undefined };
  }

  #answer(clean: Buffer, { answers, paths }: ConnectionRules): Buffer {
    return this.#masked(clean, answers, paths.answers, this.counts);
  }

  #request(data: Buffer, rules: ConnectionRules, reading: Pick<RequestReading, 'places'>): Buffer {
    if (rules.requests === undefined && rules.paths.requests.length === 0) return data;
    const contentType = typeOf(data);
    const masked = maskedBody({ contentType }, readBody(data, contentType), reading, rules, this.options.hash);
    if (masked === undefined) return data;
    for (const [name, count] of masked.counts) this.counts.set(name, (this.counts.get(name) ?? 0) + count);
    return Buffer.from(masked.bytes);
  }

  /** Nothing at all rather than what could not be masked. */
  #forRecord(clean: Buffer, { record, paths }: ConnectionRules): Buffer | undefined {
    return maskedForRecord(() => this.#masked(clean, record, paths.record, new Map()));
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

function listed(passed: PassedMessage | RelayStop): readonly PassedMessage[] | RelayStop {
  return 'bytes' in passed ? [passed] : passed;
}

function passedText(text: string): PassedMessage {
  const bytes = Buffer.from(text);
  return { bytes, record: () => bytes };
}

/** Text that begins like a map or list has to be JSON where places of it are masked. */
function typeOf(text: Buffer): string {
  return /^\uFEFF?[ \t\r\n]*[{[]/.test(text.toString('utf8', 0, 4_096)) ? 'application/json' : 'text/plain';
}

/** Of what can't be masked for the record, its length and hash are recorded, and nothing of it. */
function maskedForRecord(mask: () => Buffer): Buffer | undefined {
  try {
    return mask();
  } catch {
    return undefined;
  }
}
