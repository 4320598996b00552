import type { Fault } from '../../../core/errors.js';
import type { MaskCounts } from '../../../core/mask.js';
import type { ResultColumn } from './columns.js';
import { CopyRowMasker } from '../copy/copy-masker.js';
import { copyMasker, maskedCopyData } from '../copy/copy-out.js';
import { acknowledge, described, dropped, outOfStep } from './acknowledgements.js';
import { maskReport, type QuotedColumns } from './error-masker.js';
import { editsOf, runOf } from './expected-replies.js';
import { BodyReader, HEADER_BYTES, SERVER } from '../wire/frames.js';
import type { Handled, HandlerHost } from '../handler-host.js';
import { maskStretch, type MaskedStretch } from './masked-stretch.js';
import type { SessionMasks } from '../masks.js';
import { errorMessage } from '../wire/messages.js';
import { ResultRecord } from './result-record.js';
import { ResultShapes } from './result-shapes.js';
import type { RowMasker, RowMasking } from './row-masker.js';
import type { Run } from '../statements/run.js';
import { answeredFunction, answeredNotification, answeredParameter } from '../statements/single-values.js';

const malformed = (what: string): Fault => ({ code: 'protocol', message: `malformed ${what} from the server` });

/** A larger row is not taken apart for the record alone. */
const MAX_RECORDED_ROW_BYTES = 256 * 1024;

const NO_MASKERS = { client: undefined, record: undefined, counts: undefined };

/** Handles the server's whole messages: what goes on, what is masked, what is recorded. */
export class ResultHandler {
  readonly #shapes = new ResultShapes();
  #result: ResultRecord | undefined;
  #client: RowMasking | undefined;
  #recordMasker: RowMasker | undefined;
  #copy: CopyRowMasker | undefined;
  /** For what is masked outside of a result. */
  readonly #unowned: MaskCounts = new Map();
  #counts: MaskCounts = this.#unowned;
  #copying = false;
  /** Commands of the running simple query that are done. */
  #completed = 0;
  /** The server has said why it ends the session. */
  fatal = false;

  constructor(private readonly host: HandlerHost) {}

  /** May messages of this type go on in parts, unread? */
  passes(type: number, bytes: number): boolean {
    if (type === SERVER.copyData) return this.#copying && this.#copy === undefined;
    if (this.#current()?.described !== true || this.#client !== undefined) return false;
    return bytes > MAX_RECORDED_ROW_BYTES || !this.wantsRows();
  }

  wantsRows(): boolean {
    return this.#current()?.wantsRows ?? false;
  }

  rowsUntouched(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#result?.described !== true) return false;
    return this.#client?.untouched(bytes, start, end) ?? true;
  }

  /** Bytes of rows that go to the client. */
  passed(bytes: Uint8Array): void {
    this.#result?.passed(bytes);
  }

  countedRows(rows: number, bytes: number): void {
    if (this.#result === undefined) return;
    this.#result.rows += rows;
    this.#result.bytes += bytes;
  }

  /**
   * Masks the run of whole rows that begins at `at`, all at once.
   *
   * @returns undefined where there are fewer than `least` bytes of them or each has to be looked at by itself;
   *   `parts` stand for bytes[at,end), and are left out where nothing changed
   */
  maskedStretch(type: number, bytes: Uint8Array, at: number, least: number): MaskedStretch | Fault | undefined {
    const rows = type === SERVER.dataRow;
    const masker = rows ? this.#client : this.#copy;
    if (masker === undefined || this.#result === undefined || (rows && this.wantsRows())) return undefined;
    const one = (message: Uint8Array): Uint8Array | undefined =>
      masker instanceof CopyRowMasker ? maskedCopyData(masker, message) : masker.mask(message);
    const masked =
      masker.stretch === undefined
        ? undefined
        : maskStretch(masker.stretch, { type, bytes, at, least }, this.#counts, one);
    if (masked === undefined || 'code' in masked) return masked;
    this.countedRows(masked.rows, masked.end - at);
    for (const part of masked.parts ?? [bytes.subarray(at, masked.end)]) this.passed(part);
    return masked;
  }

  message(type: number, message: Uint8Array): Handled {
    switch (type) {
      case SERVER.dataRow:
        return this.#row(message);
      case SERVER.copyData:
        return this.#copyData(message);
      case SERVER.rowDescription:
        return this.#rowDescription(message);
      case SERVER.commandComplete:
        return this.#complete(message, new BodyReader(message).cstring());
      case SERVER.emptyQuery:
      case SERVER.portalSuspended:
        return this.#complete(message, type === SERVER.emptyQuery ? '' : 'SUSPENDED');
      case SERVER.error:
        return this.#error(message);
      case SERVER.notice:
        return this.#notice(message);
      case SERVER.notification:
        return answeredNotification(message, this.host.masks(), this.#counts) ?? malformed('notification');
      case SERVER.readyForQuery:
        return this.#ready(message);
      case SERVER.copyIn:
      case SERVER.copyOut:
        return this.#copyStart(type, message);
      case SERVER.copyBoth:
        return { code: 'protocol', message: 'the server started a replication stream' };
      case SERVER.functionResult:
        return this.#functionResult(message);
      case SERVER.parameterStatus:
        return this.#parameter(message);
      default:
        return acknowledge(this.host, type, message);
    }
  }

  /** The columns of the running Execute, known from an earlier Describe. */
  #current(): ResultRecord | undefined {
    if (this.#result === undefined) {
      const front = this.host.expected.front();
      if (front?.kind === 'execute')
        this.#begin(front.portal.run, front.portal.columns === 'none' ? undefined : front.portal.columns);
    }
    return this.#result;
  }

  #begin(run: Run, columns: readonly ResultColumn[] | undefined): void {
    const maskers = columns === undefined ? NO_MASKERS : this.#shapes.ofRun(this.host, run, columns, this.#completed);
    const masks = this.host.masks();
    const further = columns === undefined ? masks.record !== masks.answers : maskers.record !== undefined;
    this.#result = this.#record(run, columns, !further);
    this.#client = maskers.client;
    this.#recordMasker = maskers.record;
    this.#counts = maskers.counts ?? this.#unowned;
  }

  #record(run: Run, columns?: readonly ResultColumn[], hashes = false): ResultRecord {
    return new ResultRecord(run.statement, columns, run.startedMs, this.host.bounds, hashes);
  }

  #row(message: Uint8Array): Handled {
    const result = this.#current();
    // Without its columns nobody can say what a row holds.
    if (result?.described !== true) return { code: 'protocol', message: 'the server sent a row that nobody asked for' };
    const masked = this.#client === undefined ? message : this.#client.mask(message);
    if (masked === undefined) return malformed('row');
    result.rows += 1;
    result.bytes += message.length;
    result.passed(masked);
    if (result.wantsRows) {
      const recorded = this.#recordMasker === undefined ? masked : this.#recordMasker.mask(masked);
      if (recorded === undefined) return malformed('row');
      result.keep(recorded);
    }
    return masked;
  }

  #rowDescription(message: Uint8Array): Handled {
    const columns = this.#shapes.columns(message);
    if (columns === undefined) return malformed('row description');
    const front = this.host.expected.front();
    if (front?.kind === 'query') {
      this.#begin(front.run, columns);
      return message;
    }
    if (front?.kind !== 'describe')
      return { code: 'protocol', message: 'the server described a result that nobody asked for' };
    return described(this.host, front, columns, message);
  }

  /** A command is done; in a simple query more may follow. */
  #complete(message: Uint8Array, tag: string): Handled {
    const front = this.host.expected.front();
    if (front !== undefined && 'refused' in front) return outOfStep;
    const result = this.#current() ?? (front?.kind === 'query' ? this.#record(front.run) : undefined);
    if (front?.kind === 'execute') this.host.expected.shift();
    else if (front?.kind !== 'query')
      return { code: 'protocol', message: 'the server completed a command that nobody asked for' };
    if (front.kind === 'query') this.#completed += 1;
    this.host.completed(front.kind === 'execute' ? front.portal.run : front.run, tag, front.kind);
    if (tag === 'DEALLOCATE ALL' || tag === 'DISCARD ALL') this.host.prepared.closedAll();
    for (const event of result?.events({ tag, nowMs: this.host.nowMs(), masked: this.#counts }) ?? [])
      this.host.record(event);
    this.#endResult();
    return message;
  }

  #endResult(): void {
    this.#result = undefined;
    this.#client = undefined;
    this.#recordMasker = undefined;
    this.#copy = undefined;
    this.#copying = false;
    this.#counts = this.#unowned;
    if (this.#unowned.size > 0) this.#unowned.clear();
  }

  #error(message: Uint8Array): Handled {
    const front = this.host.expected.front();
    const masks = this.host.masks();
    const masked = maskReport(message, masks.answers, this.#quoted(masks), this.#counts, editsOf(front));
    if (masked === undefined) return malformed('error');
    this.fatal = masked.report.severity === 'FATAL' || masked.report.severity === 'PANIC';
    // What ends the session goes on in the server's own words.
    const refused = front !== undefined && 'refused' in front && !this.fatal ? front.refused : undefined;
    const run = runOf(front);
    if (run !== undefined && refused === undefined) {
      const { code, message: text, positioned } = masked.report;
      const recorded = { code, message: masks.record?.maskText(text, new Map()) ?? text };
      const result = this.#result ?? this.#record(run);
      for (const event of result.events({ nowMs: this.host.nowMs(), masked: this.#counts, error: recorded }))
        this.host.record(event);
      if (run.tells === true)
        masks.columns?.ended(run, { code, positioned, rows: result.rows, binding: front?.kind === 'bind' });
    }
    this.#endResult();
    const { expected, prepared } = this.host;
    if (
      !expected.failed((item) => {
        dropped(prepared, item);
      })
    )
      this.host.skipping();
    return refused === undefined ? masked.bytes : errorMessage(refused);
  }

  /** What a report may quote of masked columns. */
  #quoted(masks: SessionMasks): QuotedColumns {
    if (masks.columns === undefined) return 'none';
    return masks.columns.touches(runOf(this.host.expected.front())) ? 'any' : 'named';
  }

  #notice(message: Uint8Array): Handled {
    const masks = this.host.masks();
    const edits = editsOf(this.host.expected.front());
    return maskReport(message, masks.answers, this.#quoted(masks), this.#counts, edits)?.bytes ?? malformed('notice');
  }

  #ready(message: Uint8Array): Handled {
    const front = this.host.expected.shift();
    if (front === undefined) this.host.readyUnasked();
    if (front !== undefined && front.kind !== 'query' && front.kind !== 'sync' && front.kind !== 'function') {
      return { code: 'protocol', message: 'the server is ready before it has answered' };
    }
    this.#endResult();
    this.#completed = 0;
    this.host.ready(String.fromCharCode(message[HEADER_BYTES] ?? 0));
    return message;
  }

  #copyStart(type: number, message: Uint8Array): Handled {
    const front = this.host.expected.front();
    const run = runOf(front);
    if (front === undefined || run === undefined || 'refused' in front)
      return { code: 'protocol', message: 'the server started a COPY that nobody asked for' };
    this.#begin(run, undefined);
    if (type === SERVER.copyIn) {
      if (!this.host.expected.copyEnded()) this.host.copyIn();
      return message;
    }
    this.#copying = true;
    const masker = copyMasker(this.host.masks(), run, () => this.host.copyFormat(run), this.#counts);
    if (masker !== undefined && 'code' in masker) return masker;
    this.#copy = masker;
    return message;
  }

  #copyData(message: Uint8Array): Handled {
    if (this.#copy === undefined) return outOfStep;
    this.countedRows(1, message.length);
    const masked = maskedCopyData(this.#copy, message);
    if (masked !== undefined) this.passed(masked);
    return masked ?? malformed('COPY row');
  }

  #functionResult(message: Uint8Array): Handled {
    const front = this.host.expected.front();
    if (front?.kind !== 'function') return outOfStep;
    return answeredFunction(message, front.run, this.host.masks(), this.#counts) ?? malformed('function result');
  }

  #parameter(message: Uint8Array): Handled {
    const reader = new BodyReader(message);
    this.host.parameter(reader.cstring(), reader.cstring());
    return answeredParameter(message, this.host.masks(), this.#counts) ?? malformed('parameter');
  }
}
