import type { RecordBounds } from '../../../../core/output-digest.js';
import { HoopError } from '../../../../core/errors.js';
import type { KeyedHash, MaskCounts } from '../../../../core/mask.js';
import type { SessionTrace } from '../../../tracing/session-trace.js';
import type { Originals } from '../../../../masking/streams/stream-masker.js';
import type { RedactedStream, Redactor } from '../../../../protocols/http/credentials/credential-redaction.js';
import type {
  AnswerBody,
  AnswerSummary,
  Dialect,
  HttpRequest,
  RequestReading,
} from '../../../../protocols/http/dialect.js';
import { answerHeaders } from '../../../../protocols/http/answers/answer-headers.js';
import { codingsOf, headerOf, shownHeaders, shownReason } from './answer-head.js';
import type { AnswerOut } from './answer-out.js';
import { answerKind, answerStage, type AnswerKind } from './answer-stage.js';
import { AnswerCapture, type StageRun } from './answer-capture.js';
import type { BodyCapture } from '../body-capture.js';
import { createDecoder, type Decoder } from '../body-coding.js';
import { masksAnswers, type ConnectionRules } from '../connection-rules.js';
import { unreadAnswer, UpstreamFault } from '../refusals.js';
import type { AnswerSink, Flow } from '../upstream.js';

/** Encoded answers up to this size wait until all of them is known to be clean; larger ones go on decoded. */
const HELD_BYTES = 1 << 20;

export interface AnswerPipeOptions {
  readonly request: HttpRequest;
  readonly reading: RequestReading;
  readonly dialect: Dialect;
  readonly rules: ConnectionRules;
  readonly uninspected: 'block' | 'allow';
  /** Undefined where no credential was injected. */
  readonly redactor: Redactor | undefined;
  readonly originals: Originals | undefined;
  /** The upstream's address, and the path that stands for it on this side. */
  readonly place: { readonly upstream: string; readonly base: string };
  readonly maxEventBytes: number;
  readonly out: AnswerOut;
  readonly hash: KeyedHash;
  /** How much of the body is recorded. */
  readonly bounds: RecordBounds;
  /** Takes the time of masking; absent: nothing of the session is traced. */
  readonly trace?: Pick<SessionTrace, 'timed'> | undefined;
  nowMs(): number;
  /** Called once, when nothing more of the answer comes. */
  done(error: Error | undefined): void;
}

/** Takes one answer from the upstream to the client: decoded, the credential redacted, masked, captured for the record. */
export class AnswerPipe implements AnswerSink {
  readonly counts: MaskCounts = new Map();
  status = 0;
  contentType = '';
  /** Bytes given to the client. */
  bytes = 0;
  firstByteMs: number | undefined;
  firstTokenMs: number | undefined;
  notInspected = '';
  #kind: AnswerKind = 'none';
  #begun = false;
  #over = false;
  #flow: Flow | undefined;
  #headers: readonly string[] = [];
  #reason = '';
  #decoder: Decoder | undefined;
  #stage: AnswerBody | undefined;
  readonly #recorded: AnswerCapture;
  #held: { readonly raw: Buffer[]; readonly clean: Uint8Array[]; bytes: number } | undefined;

  readonly #redacted: RedactedStream | undefined;

  constructor(private readonly options: AnswerPipeOptions) {
    this.#recorded = new AnswerCapture(options.bounds);
    this.#redacted = options.redactor?.stream();
  }

  /** What the record keeps of the body. */
  get capture(): BodyCapture {
    return this.#recorded.body;
  }

  summary(): AnswerSummary {
    return (this.#recorded.stage ?? this.#stage)?.summary() ?? { toolCalls: [], text: [], characters: 0, begun: false };
  }

  head(status: number, rawHeaders: readonly string[], flow: Flow, reason: string): void {
    this.#guarded(() => {
      this.status = status;
      this.#headers = rawHeaders;
      this.#reason = reason;
      this.#flow = flow;
      this.options.out.onDrain(() => {
        this.#decoder?.resume();
        if (this.#decoder?.full !== true) flow.resume();
      });
      this.#plan(codingsOf(rawHeaders));
      if (this.#kind === 'events') this.#begin(this.#alters, true);
    });
  }

  data(chunk: Buffer): void {
    this.firstByteMs ??= this.options.nowMs();
    this.#guarded(() => {
      if (this.#decoder === undefined) {
        this.#decoded(chunk);
        return;
      }
      if (this.#held !== undefined) {
        this.#held.raw.push(chunk);
        this.#held.bytes += chunk.length;
      }
      this.#decoder.push(chunk);
      if (this.#decoder.full) this.#flow?.pause();
    });
  }

  end(): void {
    this.#guarded(() => {
      if (this.#decoder === undefined) this.#ended();
      else this.#decoder.end();
    });
  }

  failed(error: Error): void {
    this.#guarded(() => {
      this.#write(this.#stage?.broken?.() ?? new Uint8Array(), false);
    });
    this.#finish(error);
  }

  /** The client left, or the session was ended: nothing more is told. */
  stop(): void {
    this.#over = true;
    this.#decoder?.destroy();
  }

  get #masks(): boolean {
    return masksAnswers(this.options.rules);
  }

  /** May the client get other bytes than the upstream sent? Of a redacted credential the length stays. */
  get #alters(): boolean {
    return this.#decoder !== undefined || (this.#masks && this.#stage !== undefined);
  }

  #plan(coding: string): void {
    const { options } = this;
    const { rules, request } = options;
    this.contentType = headerOf(this.#headers, 'content-type');
    const narrow = options.uninspected === 'block';
    // What says that it is of no bytes is; OPTIONS of a file server tells the file's type with it.
    const empty = headerOf(this.#headers, 'content-length') === '0';
    this.#kind = empty ? 'none' : answerKind(request.method, this.status, this.contentType, narrow && this.#masks);
    if (this.#kind === 'none') return;
    const encoded = coding !== '';
    if (encoded) this.#decoder = this.#decoderOf(coding);
    const opaque = this.#kind === 'opaque' || (encoded && this.#decoder === undefined);
    if (opaque && (this.#masks || (encoded && this.#decoder === undefined && options.redactor !== undefined))) {
      this.notInspected = encoded && this.#decoder === undefined ? 'content coding' : 'content type';
      if (narrow) throw unreadAnswer(this.notInspected);
    }
    if (opaque) return;
    const shared = {
      dialect: options.dialect,
      request: options.reading,
      maxEventBytes: options.maxEventBytes,
      events: true,
      credential: options.redactor?.pieces,
      hash: options.hash,
      contentType: this.contentType.split(';')[0]?.trim().toLowerCase() ?? '',
    };
    const { originals } = options;
    this.#stage = answerStage(this.#kind, {
      masker: rules.answers,
      paths: rules.paths.answers,
      counts: this.counts,
      narrow,
      ...shared,
      ...(originals === undefined ? {} : { originals }),
    });
    if (this.#masks && this.#stage !== undefined) this.#stage = options.trace?.timed(this.#stage) ?? this.#stage;
    const alike = rules.record === rules.answers && rules.paths.record.length === rules.paths.answers.length;
    if (!alike || originals !== undefined) {
      const { record, paths } = rules;
      this.#recorded.stage = answerStage(this.#kind, {
        masker: record,
        paths: paths.record,
        counts: new Map(),
        narrow: true,
        ...shared,
      });
    }
    if (this.#decoder !== undefined && this.#kind !== 'events' && !this.#masks)
      this.#held = { raw: [], clean: [], bytes: 0 };
  }

  #decoderOf(coding: string): Decoder | undefined {
    return createDecoder(coding, {
      data: (chunk) => {
        this.#guarded(() => {
          this.#decoded(chunk);
        });
      },
      end: () => {
        this.#guarded(() => {
          this.#ended();
        });
      },
      failed: (error) => {
        this.#finish(error);
      },
      drain: () => this.#flow?.resume(),
    });
  }

  #decoded(chunk: Uint8Array): void {
    const clean = this.#redacted?.push(chunk) ?? chunk;
    this.#through(clean, (stage, part) => stage.push(part));
  }

  #ended(): void {
    const last = this.#redacted?.end() ?? new Uint8Array();
    this.#through(last, (stage, part) => Buffer.concat([stage.push(part), stage.end()]), true);
    if (this.#held !== undefined && this.#redacted?.found !== true) {
      const { raw } = this.#held;
      this.#held = undefined;
      this.#begin(false, false);
      for (const part of raw) this.options.out.write(part);
      this.bytes = raw.reduce((sum, part) => sum + part.length, 0);
    }
    this.#letGo();
    if (!this.#begun) this.#begin(this.#alters, false, this.bytes);
    this.options.out.end();
    this.#finish(undefined);
  }

  #through(clean: Uint8Array, run: StageRun, last = false): void {
    const out = this.#stage === undefined ? clean : run(this.#stage, clean);
    if (this.firstTokenMs === undefined && this.#kind === 'events' && this.#stage?.summary().begun === true)
      this.firstTokenMs = this.options.nowMs();
    if (this.#kind !== 'opaque') this.#recorded.take(out, clean, run);
    if (this.#held !== undefined) {
      this.#held.clean.push(out);
      if (this.#held.bytes > HELD_BYTES || this.capture.bytes > 8 * HELD_BYTES) this.#letGo();
      return;
    }
    this.#write(out, last);
  }

  /** What was held goes on decoded. */
  #letGo(): void {
    const held = this.#held;
    this.#held = undefined;
    for (const part of held?.clean ?? []) this.#write(part, false);
  }

  #write(bytes: Uint8Array, last: boolean): void {
    if (bytes.length === 0) return;
    this.bytes += bytes.length;
    // All there is: its length can be told.
    if (!this.#begun) this.#begin(this.#alters, false, last ? bytes.length : undefined);
    if (this.options.out.write(bytes)) return;
    this.#flow?.pause();
    this.#decoder?.pause();
  }

  /** @param length of the whole body, where it is known and not as the upstream said */
  #begin(altered: boolean, atOnce: boolean, length?: number): void {
    this.#begun = true;
    const { place, redactor, out, request, rules } = this.options;
    const changed = { altered: altered && request.method !== 'HEAD', whole: this.#masks };
    const headers = answerHeaders(this.#headers, { ...changed, ...place });
    const shown = shownHeaders(headers, redactor, rules.answers, this.counts);
    if (altered && length !== undefined && this.#kind !== 'none') shown.push(['content-length', String(length)]);
    const reason = shownReason(this.status, this.#reason, redactor, rules.answers, this.counts);
    out.begin(this.status, shown, { atOnce, reason });
  }

  /** A fault of a stage ends the answer: nothing more of it goes out. */
  #guarded(work: () => void): void {
    if (this.#over) return;
    try {
      work();
    } catch (error) {
      this.#finish(
        error instanceof HoopError
          ? new UpstreamFault(`the answer of the upstream: ${error.message}`)
          : (error as Error),
      );
    }
  }

  #finish(error: Error | undefined): void {
    if (this.#over) return;
    this.stop();
    this.options.done(error);
  }
}
