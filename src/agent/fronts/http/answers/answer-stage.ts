import type { KeyedHash, MaskCounts, MaskRule } from '../../../../core/mask.js';
import type { MaskedStream, Originals, StreamMasker } from '../../../../masking/streams/stream-masker.js';
import { HoopError } from '../../../../core/errors.js';
import type { Beginning } from '../../../../protocols/http/beginnings.js';
import { isLinesType, isSequenceType, isTextType, mediaTypeOf } from '../../../../protocols/http/bodies/body.js';
import type {
  AnswerOptions,
  AnswerBody,
  AnswerSummary,
  Dialect,
  RequestReading,
} from '../../../../protocols/http/dialect.js';
import { LateEvents } from './late-events-stage.js';
import { TextBytes } from './text-bytes-stage.js';
import { SniffingStage } from './sniffing-stage.js';
import { CheckedJson } from '../../../../protocols/http/bodies/unread-escapes.js';
import { PathMaskedBody } from '../../../../protocols/http/bodies/path-masked-body.js';

const NOTHING = new Uint8Array();

/** How the body of an answer can be looked at. */
export type AnswerKind = 'none' | 'events' | 'json' | 'lines' | 'text' | 'bytes' | 'opaque';

/** What says nothing of what it is. */
const BYTES = 'application/octet-stream';

/** After 205 no body should follow; one that does is read by clients that don't know that. */
const NO_BODY_STATUS: readonly number[] = [204, 304];
/** Charsets in which ASCII stands for itself in single bytes, so that entities are found. */
const READABLE_CHARSET = /^(?:utf-?8|us-ascii|ascii|iso-8859-\d+|latin1|windows-125\d)$/;

/**
 * @param contentType the header as sent; empty where there is none
 * @param narrow what can't be looked at is not given on: then bytes are looked at for being text
 */
export function answerKind(method: string, status: number, contentType: string, narrow = false): AnswerKind {
  if (method === 'HEAD' || NO_BODY_STATUS.includes(status)) return 'none';
  const { type, charset } = mediaTypeOf(contentType);
  if (charset !== '' && !READABLE_CHARSET.test(charset)) return 'opaque';
  if (type === 'text/event-stream') return 'events';
  if (isLinesType(type)) return 'lines';
  if (type === 'application/json' || type.endsWith('+json')) return 'json';
  // Without a type it may be anything; text in it is found all the same.
  if (type === '' || isTextType(type)) return 'text';
  return type === BYTES && narrow ? 'bytes' : 'opaque';
}

export interface StageOptions {
  readonly dialect: Dialect;
  readonly request: RequestReading;
  /** Undefined: nothing is masked, and the bytes pass as they are. */
  readonly masker: StreamMasker | undefined;
  readonly counts: MaskCounts;
  readonly originals?: Originals;
  /** As in `AnswerOptions`. */
  readonly credential?: AnswerOptions['credential'];
  readonly maxEventBytes: number;
  /** Rules that name places of a JSON body. */
  readonly paths: readonly MaskRule[];
  readonly hash: KeyedHash;
  /** Media type in lower case without parameters. */
  readonly contentType: string;
  /** May the bytes be of another charset than they are said to be? Then nothing of such text goes on where it is masked. */
  readonly narrow?: boolean;
  /** May it be an event stream whatever its type says? Messages never are. */
  readonly events?: boolean;
}

/** What an answer's body goes through on its way to the client; undefined where there is nothing to look at. */
export function answerStage(kind: AnswerKind, options: StageOptions): AnswerBody | undefined {
  const stage = maskedStage(kind, options);
  const masks = options.masker !== undefined || options.paths.length > 0;
  if (stage === undefined || !masks || options.narrow !== true) return stage;
  return new NarrowText(kind === 'bytes' ? new TextBytes(stage) : stage);
}

function maskedStage(kind: AnswerKind, options: StageOptions): AnswerBody | undefined {
  const inner = valueStage(kind, options);
  const stage = inner && kind !== 'events' ? new AfterMark(inner) : inner;
  if (options.paths.length === 0 || kind === 'none' || kind === 'opaque') return stage;
  const { paths: rules, hash, counts, maxEventBytes: maxBytes } = options;
  const contentType = kind === 'bytes' ? '' : options.contentType;
  return new PathMaskedBody(stage, { rules, hash, counts, contentType, maxBytes });
}

function valueStage(kind: AnswerKind, options: StageOptions): AnswerBody | undefined {
  switch (kind) {
    case 'events':
      return eventsOrLines(options);
    case 'json':
    case 'lines':
    case 'text':
      return sniffed(kind, options);
    case 'bytes':
      return sniffed('text', options) ?? PASSING;
    case 'none':
    case 'opaque':
      return undefined;
  }
}

/** An event stream; what is none though it says so is read by clients as what it is. */
function eventsOrLines(options: StageOptions): AnswerBody {
  const { dialect, masker } = options;
  if (masker === undefined) return dialect.eventStream(options);
  const open = (beginning: Beginning): AnswerBody =>
    beginning === 'json'
      ? new LateEvents(dialect.lines(options, 'unknown'), () => dialect.eventStream(options))
      : dialect.eventStream(options);
  return new SniffingStage(true, open, true);
}

/** What is no event stream is what it says; text that begins like JSON is read as such. */
function sniffed(kind: 'json' | 'lines' | 'text', options: StageOptions): AnswerBody | undefined {
  const { dialect, masker, counts, originals, events } = options;
  const ofModel = dialect.provider !== '';
  // Nothing is masked, and nothing told of models: no need to look.
  if (masker === undefined && !ofModel) return undefined;
  const opened = (json: boolean): AnswerBody => {
    // Lines are often sent as JSON: of a model's API that is a fault, of any other API they are read as what they are.
    if (kind === 'json')
      return ofModel || masker === undefined ? dialect.json(options) : dialect.lines(options, 'unknown');
    if (kind === 'lines') return dialect.lines(options, isSequenceType(options.contentType) ? 'unknown' : 'line');
    if (masker === undefined) return PASSING;
    if (json && events === true) return dialect.lines(options, 'unknown');
    return withoutSummary(json ? new CheckedJson(masker.json(counts, originals)) : masker.text(counts, originals));
  };
  const open = (beginning: Beginning): AnswerBody =>
    beginning === 'events' && events === true
      ? dialect.eventStream(options)
      : withLateEvents(opened(beginning === 'json' || beginning === 'string'), options);
  return new SniffingStage(ofModel, open, masker !== undefined);
}

/** Who asked a model for a stream reads whatever comes as one. */
function withLateEvents(stage: AnswerBody, options: StageOptions): AnswerBody {
  const { dialect, masker, events, request } = options;
  const asked = events === true && masker !== undefined && dialect.provider !== '' && request.stream;
  return asked ? new LateEvents(stage, () => dialect.eventStream(options)) : stage;
}

const NOTHING_TOLD: AnswerSummary = { toolCalls: [], text: [], characters: 0, begun: false };

const PASSING: AnswerBody = { push: (part) => part, end: () => NOTHING, summary: () => NOTHING_TOLD };

function withoutSummary(stream: MaskedStream): AnswerBody {
  return { push: (part) => stream.push(part), end: () => stream.end(), summary: () => NOTHING_TOLD };
}

/**
 * Refuses text with bytes of zero: it is UTF-16 or UTF-32, which many clients know by looking, and in which nothing
 * would be found. Neither JSON nor any other text that is sent as one holds them.
 */
class NarrowText implements AnswerBody {
  constructor(private readonly inner: AnswerBody) {}

  /** @throws HoopError `protocol`: nothing of the part, or behind it, may go out */
  push(part: Uint8Array): Uint8Array {
    if (part.includes(0)) throw new HoopError('protocol', 'its text is in another charset than it says');
    return this.inner.push(part);
  }

  end(): Uint8Array {
    return this.inner.end();
  }

  summary(): AnswerSummary {
    return this.inner.summary();
  }
}

/** U+FEFF in UTF-8. @see https://www.rfc-editor.org/rfc/rfc8259#section-8.1 */
const MARK: readonly number[] = [0xef, 0xbb, 0xbf];

/** Keeps a byte order mark from what looks at the body: text behind one is JSON as before. */
class AfterMark implements AnswerBody {
  /** Bytes of the mark seen; undefined once it is decided. */
  #seen: number | undefined = 0;

  constructor(private readonly inner: AnswerBody) {}

  push(part: Uint8Array): Uint8Array {
    if (this.#seen === undefined) return this.inner.push(part);
    let at = 0;
    while (this.#seen < MARK.length && at < part.length && part[at] === MARK[this.#seen]) {
      this.#seen += 1;
      at += 1;
    }
    if (this.#seen < MARK.length && at === part.length) return NOTHING;
    const mark = new Uint8Array(MARK.slice(0, this.#seen));
    const whole = this.#seen === MARK.length;
    this.#seen = undefined;
    const rest = part.subarray(at);
    return whole
      ? Buffer.concat([mark, this.inner.push(rest)])
      : this.inner.push(mark.length === 0 ? part : Buffer.concat([mark, rest]));
  }

  end(): Uint8Array {
    const begun = new Uint8Array(MARK.slice(0, this.#seen ?? 0));
    return Buffer.concat([begun.length === 0 ? NOTHING : this.inner.push(begun), this.inner.end()]);
  }

  summary(): AnswerSummary {
    return this.inner.summary();
  }
}
