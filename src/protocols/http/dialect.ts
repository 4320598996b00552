import type { ModelUsage } from '../../core/events.js';
import type { JsonNode } from '../../core/json-tree.js';
import type { MaskCounts } from '../../core/mask.js';
import type { Originals, StreamMasker } from '../../masking/streams/stream-masker.js';
import type { Facts } from '../../policy/types.js';
import type { BodyPlaces } from './bodies/body-places.js';
import type { CredentialPieces } from './credentials/credential-pieces.js';
import type { BodyPart } from './bodies/multipart.js';

/** One header as it was sent; the name in lower case. */
export type Header = readonly [name: string, value: string];

/** The head of a request, checked and normalised: exactly this is judged, and exactly this goes upstream. */
export interface HttpRequest {
  readonly method: string;
  /** Name, and port where it has one, of the connection's `url`: where the request goes, not what the caller wrote. */
  readonly host?: string;
  /** Normalised, begins with `/`; below the connection's `url`. */
  readonly path: string;
  /** As sent, without `?`; empty where there is none. */
  readonly query: string;
  /** Without those that never go upstream. */
  readonly headers: readonly Header[];
  /** Media type in lower case without parameters; empty where none was sent. */
  readonly contentType: string;
}

/** A request's body, read whole and decoded. */
export interface ReadBody {
  readonly bytes: Uint8Array;
  /** Undefined where it is no JSON. */
  readonly json: JsonNode | undefined;
  /** UTF-8 text; the tree's offsets count its characters. Empty where it is no text. */
  readonly text: string;
  /** Of `multipart/form-data` that can be taken apart in one way alone. */
  readonly parts?: readonly BodyPart[];
}

/** What a dialect makes of a request. */
export interface RequestReading {
  /** `http` always; `llm` where it is a model request whose body was read. */
  readonly facts: Facts;
  /** `chat.completions`, `responses`, `completions`, `embeddings`, `messages`, …; empty where it is none of the dialect's. */
  readonly endpoint: string;
  /** Empty where it names none. */
  readonly model: string;
  readonly stream: boolean;
  /** What people and searches see of it: what is new in the conversation; else method and path. Not masked. */
  readonly text: string;
  /** Who says that: `user`, `tool`, or several, joined by `, `; absent: nobody. */
  readonly from?: string;
  /** Names in the body that stand there twice make it mean different things to different readers. */
  readonly ambiguous: boolean;
  /** Content that can't be read as text, a word or two for each kind: `image`, `a multipart body`, … Absent or empty: none. */
  readonly uninspected?: readonly string[];
  /** Most tokens that all answers together may have, of each prompt, choice and try; null where the request sets no limit. */
  readonly mostTokens?: number | null;
  /** What a limit on models, tokens or spending has to know of it and can't; absent: nothing. */
  readonly uncounted?: string;
  /** Where in the body the content stands: what a mask may change. Absent: all of it is content. */
  readonly places?: BodyPlaces;
}

/** Why a request is not answered by the upstream. */
export interface HttpRefusal {
  readonly status: number;
  /** `hoop_blocked`, `hoop_denied`, `hoop_approval_timeout`, `hoop_limit`, `hoop_unauthorized`, … */
  readonly code: string;
  readonly message: string;
}

/** An answer as a dialect's SDK expects it. */
export interface RefusalAnswer {
  readonly contentType: string;
  readonly body: string;
}

/** What an answer told besides its bytes. */
export interface AnswerSummary {
  readonly usage?: ModelUsage;
  readonly toolCalls: readonly string[];
  /** Text of each choice or block, masked, bounded. */
  readonly text: readonly string[];
  /** Which of these are what the model thought, from 0; absent: none. */
  readonly thoughts?: readonly number[];
  /** What each of `toolCalls` was called with, masked, bounded; absent: nothing. */
  readonly toolArguments?: readonly string[];
  /** Characters of all texts and arguments of tools that the answer held, as they went out. */
  readonly characters: number;
  /** Was text or a tool call begun? The time of the first is the first token's. */
  readonly begun: boolean;
}

/** Follows and masks the body of one answer as it comes, whatever the cuts. */
export interface AnswerBody {
  /** @returns what goes to the client now */
  push(part: Uint8Array): Uint8Array;
  end(): Uint8Array;
  /** The answer broke off, and does not end: what of it may still go out, so that it looks as broken as it is. Absent: nothing. */
  broken?(): Uint8Array;
  summary(): AnswerSummary;
}

export interface AnswerOptions {
  readonly request: RequestReading;
  /** Undefined: nothing is masked, and the bytes pass as they are. */
  readonly masker: StreamMasker | undefined;
  readonly counts: MaskCounts;
  readonly originals?: Originals;
  /** Begins a text that comes in pieces, out of which the credential is taken; absent where there is none. */
  readonly credential?: (() => CredentialPieces) | undefined;
  /** Largest event or line that is held to be read, in bytes. */
  readonly maxEventBytes: number;
  /** Does what says words and can't be looked at, as audio does, end an answer that is masked? */
  readonly narrow?: boolean;
}

/**
 * How texts of JSON are told apart: one a `line`; else one text of several lines, or behind a separator each as in
 * `application/json-seq`, or lines that are pieces of one, as it turns out.
 */
export type Parted = 'line' | 'unknown';

/** One way of speaking to an upstream over HTTP: plain, or a model API's. */
export interface Dialect {
  readonly provider: '' | 'openai' | 'anthropic';
  /** @param body undefined where nothing had to read it, or nothing could */
  read(request: HttpRequest, body: ReadBody | undefined): RequestReading;
  /** @param request what is refused, as far as it was read */
  refusal(refusal: HttpRefusal, request?: RequestReading): RefusalAnswer;
  /** The refusal inside of an event stream that has begun. */
  streamRefusal(refusal: HttpRefusal, request?: RequestReading): string;
  /** Keeps a waiting client of an event stream patient; means nothing to it. */
  readonly ping: string;
  /** The body of an answer with media type `text/event-stream`. A malformed event throws HoopError `protocol`: nothing more of the answer may go out. */
  eventStream(options: AnswerOptions): AnswerBody;
  /** The body of an answer in JSON. */
  json(options: AnswerOptions): AnswerBody;
  /** The body of an answer in JSON that may be several texts. */
  lines(options: AnswerOptions, parted: Parted): AnswerBody;
}

/** What a dialect knows of requests, without its answers. */
export type RequestSide = Pick<Dialect, 'provider' | 'read' | 'refusal' | 'streamRefusal' | 'ping'>;
