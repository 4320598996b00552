import { isFault } from '../../core/errors.js';
import type { Decision } from '../contract.js';
import { parseBody, queryText } from './wire/client-messages.js';
import type { Catalog, NameLookup } from './catalog/types.js';
import { CopyGate } from './copy/copy-gate.js';
import type { ExpectedReplies } from './results/expected-replies.js';
import { EXTENDED, ExtendedQuery } from './extended-query.js';
import type { CopyFormat } from './copy/copy-format.js';
import { BodyReader, CLIENT, type Frame, FrameParser, typeSet } from './wire/frames.js';
import { copyFailMessage, terminateMessage } from './wire/messages.js';
import { withOriginals } from './originals/originals.js';
import type { Candidate, PreparedStatements } from './statements/prepared.js';
import { SQLSTATE } from './refusal.js';
import { explains, keepsText } from './statements/run-effects.js';
import type { Run } from './statements/run.js';
import type { PostgresSessionOptions } from './opening/session-options.js';
import { SqlPrepared } from './statements/sql-prepared.js';
import { StatementDesk, type ClientSideHost } from './statements/statement-desk.js';
import { StatementReader } from './statements/statement-reader.js';
import { unreadable } from './statements/statement-text.js';

/** Messages that rules or masks have to read; the others only pass. */
const READ = typeSet([CLIENT.query, CLIENT.parse, CLIENT.bind, CLIENT.functionCall]);
/** Messages that are judged by what names stand for when they come up. */
const JUDGED: ReadonlySet<number> = new Set([CLIENT.query, CLIENT.parse, CLIENT.bind]);
const MAX_UNREAD_BYTES = 1 << 30;
/** Messages above this size may take milliseconds to read: it is done where it holds nobody up. */
const STUDY_BYTES = 64 << 10;

/** Reads the client's messages in order; stops at each one that has to be decided until the answer is there. */
export class ClientSide {
  /** The client has said goodbye, or the session is over. */
  ending = false;
  /** Was a transaction open when the server was ready last? */
  inTransaction = false;
  readonly #parser: FrameParser;
  readonly #desk: StatementDesk;
  readonly #reader: StatementReader;
  readonly #sqlPrepared: SqlPrepared;
  readonly #extended: ExtendedQuery;
  readonly #copy: CopyGate;

  constructor(
    private readonly options: PostgresSessionOptions,
    private readonly expected: ExpectedReplies,
    private readonly prepared: PreparedStatements,
    private readonly host: ClientSideHost,
  ) {
    this.#parser = new FrameParser({ maxFrameBytes: (type) => this.#maxBytes(type) });
    this.#desk = new StatementDesk(options, expected, host);
    this.#copy = new CopyGate(expected);
    this.#reader = new StatementReader(options.sql, expected, options.startup.settings);
    this.#sqlPrepared = new SqlPrepared(options.sql, prepared);
    this.#extended = new ExtendedQuery(this.#desk, expected, prepared, this.#sqlPrepared, this.#reader);
  }

  get counts(): { readonly statements: number; readonly blocked: number } {
    return this.#desk.counts;
  }

  push(bytes: Uint8Array): void {
    this.#parser.push(bytes);
  }

  /** About the memory that is held for what the client sent, in bytes. */
  get heldBytes(): number {
    return this.#parser.heldBytes + this.#extended.heldBytes;
  }

  get unreadBytes(): number {
    return this.#parser.heldBytes;
  }

  parameter(name: string, value: string): void {
    this.#reader.parameter(name, value);
  }

  /** How the COPY that the server has started writes its rows, in the encoding that it told last. */
  copyFormat(run: Run): CopyFormat | undefined {
    const format = this.options.sql.copyFormat(run.text);
    return format === undefined ? undefined : { encoding: this.#reader.encoding, ...format };
  }

  /** The server reported an error with no Sync under way: it ignores everything up to the next. */
  skipToSync(): void {
    this.#desk.skipping = true;
  }

  /** The server is ready without a Sync of ours: it had read one that stood in a COPY which failed meanwhile. */
  readyUnasked(): void {
    this.#desk.skipping = false;
  }

  copyStarted(): void {
    this.#copy.started();
  }

  /** The server is ready: `I` with no transaction open, `T` in one, `E` in a failed one. */
  serverReady(status: string): void {
    this.inTransaction = status !== 'I';
    this.#copy.over();
    this.#desk.serverReady(status);
    if (!this.inTransaction) this.#extended.transactionEnded();
    this.#reader.ready(status);
  }

  completed(run: Run, tag: string, via: 'query' | 'execute'): void {
    if (via === 'query') this.#sqlPrepared.completed(run, tag);
    const { columns } = this.options.masks();
    if (tag === 'DECLARE CURSOR') columns?.declared(run);
    if (run.tells === true) columns?.ended(run);
    this.#reader.completed(run, tag);
  }

  lookup(catalog: Catalog): NameLookup {
    return this.#reader.lookup(catalog);
  }

  askStartup(): boolean {
    return this.#desk.askStartup();
  }

  answer(ticket: number, decision: Decision): void {
    this.#desk.answer(ticket, decision);
    this.proceed();
  }

  /** Works off what has arrived, up to the next message that must be decided. */
  proceed(): void {
    while (!this.#desk.waiting && !this.ending) {
      const type = this.#parser.nextType;
      if (type !== undefined && this.#waits(type)) return;
      const frame = this.#parser.next();
      if (frame === undefined) return;
      if (isFault(frame)) {
        this.host.fault(frame);
        return;
      }
      if (this.#copy.breaks(frame.type)) this.#breakCopy(frame.type);
      else if (!this.#isStudied(frame)) this.#frame(frame);
    }
  }

  /** A message that ends the COPY must not wait for what only the end of the COPY settles. */
  #waits(type: number): boolean {
    if (this.#copy.breaks(type)) return false;
    return this.#copy.holds(type) || (JUDGED.has(type) && this.#reader.mustWait);
  }

  /** The server hears of it as it would say it itself, and the message goes no further. */
  #breakCopy(type: number): void {
    this.#copy.over();
    const hex = type.toString(16).toUpperCase().padStart(2, '0');
    this.host.toServer(copyFailMessage(`unexpected message type 0x${hex} during COPY from stdin`));
  }

  /** A text too large to be read in passing waits until it has been read. */
  #isStudied(frame: Frame): boolean {
    if (frame.bytes.length <= STUDY_BYTES || frame.oversizeBytes !== undefined || this.#desk.skipping) return false;
    const raw =
      frame.type === CLIENT.query
        ? queryText(frame.bytes)
        : frame.type === CLIENT.parse
          ? parseBody(frame.bytes)?.text
          : undefined;
    const text = raw && this.#reader.unstudied(raw);
    if (text === undefined) return false;
    this.#desk.study(text, () => {
      this.#frame(frame);
    });
    return true;
  }

  #frame(frame: Frame): void {
    if (this.#desk.skipping && frame.type !== CLIENT.sync && frame.type !== CLIENT.terminate) return;
    if (frame.oversizeBytes !== undefined) this.#oversize(frame, frame.oversizeBytes);
    else if (EXTENDED.has(frame.type)) this.#extendedFrame(frame);
    else this.#otherFrame(frame);
  }

  #extendedFrame(frame: Frame): void {
    if (frame.type === CLIENT.parse) this.#extended.parse(frame.bytes);
    else if (frame.type === CLIENT.bind) this.#extended.bind(frame.bytes);
    else if (frame.type === CLIENT.execute) this.#extended.execute(frame.bytes);
    else if (frame.type === CLIENT.describe) this.#extended.describe(frame);
    else this.#extended.close(frame);
  }

  #otherFrame(frame: Frame): void {
    switch (frame.type) {
      case CLIENT.query:
        this.#query(frame.bytes);
        return;
      case CLIENT.functionCall:
        this.#functionCall(frame.bytes);
        return;
      case CLIENT.sync:
        this.#desk.skipping = false;
        this.prepared.synced();
        if (!this.#copy.going) this.expected.push({ kind: 'sync' });
        break;
      case CLIENT.copyDone:
      case CLIENT.copyFail:
        if (this.#copy.going) this.expected.copyEnds();
        else this.expected.push({ kind: 'copy-end' });
        this.#copy.over();
        break;
      case CLIENT.copyData:
      case CLIENT.flush:
        break;
      case CLIENT.terminate:
        this.ending = true;
        this.host.toServer(terminateMessage());
        // What it asked for before is still answered, as the server does; then that ends the session.
        if (this.expected.length === 0) this.host.goodbye();
        return;
      default:
        this.host.fault({ code: 'protocol', message: 'the client sent something that is no message' });
        return;
    }
    this.host.toServer(frame.bytes);
  }

  #maxBytes(type: number): number {
    const { options } = this;
    if (type === CLIENT.copyData) return MAX_UNREAD_BYTES;
    const read = type === CLIENT.bind ? options.readsParams() : READ.has(type) && options.readsSql();
    return read ? options.limits.statementBytes : options.limits.rowBytes;
  }

  #oversize(frame: Frame, bytes: number): void {
    const message = `message of ${String(bytes)} B, limit is ${String(this.#maxBytes(frame.type))} B`;
    if (!READ.has(frame.type)) {
      this.host.fault({ code: 'limit', message });
      return;
    }
    const run = this.#desk.newRun(`(${message})`, unreadable('', 'over the size limit'));
    this.#desk.recordRefused(run, 'oversize', 'hoop/statement-size');
    const simple = frame.type === CLIENT.query || frame.type === CLIENT.functionCall;
    this.#desk.refuse(simple ? 'simple' : 'extended', run, {
      severity: 'ERROR',
      code: SQLSTATE.programLimit,
      message: `hoop: ${message}`,
    });
  }

  #query(bytes: Uint8Array): void {
    const raw = queryText(bytes);
    if (raw === undefined) {
      this.host.fault({ code: 'protocol', message: 'malformed query message' });
      return;
    }
    const { text, facts } = this.#reader.read(raw);
    const all = this.#sqlPrepared.withExecuted(text, facts);
    const run = this.#desk.newRun(text, all, all, { executes: this.#sqlPrepared.executedTexts(text, facts) });
    this.#askSimple(run, 'query', () => {
      const held = (name: string): Candidate | undefined => this.#sqlPrepared.certain(name);
      const rewritten = withOriginals(
        bytes,
        raw,
        text,
        this.options.masks(),
        this.#reader.encoding,
        held,
        explains(facts),
      );
      if (rewritten !== undefined) run.edits = rewritten.edits;
      run.swaps = rewritten?.swaps;
      if (rewritten !== undefined && keepsText(facts)) this.#desk.originalsKept();
      this.#sqlPrepared.remember(text, facts, rewritten?.edits);
      this.#reader.running(run);
      this.#extended.otherRan(run);
      this.expected.push({ kind: 'query', run });
      this.host.toServer(rewritten?.message ?? bytes);
    });
  }

  /** The wire names the function by an object id alone: of few it is known what they do. */
  #functionCall(bytes: Uint8Array): void {
    const calls = new BodyReader(bytes).int32() >>> 0;
    const facts = this.options.sql.functionCall(calls);
    const run = { ...this.#desk.newRun(`(function call message) ${facts.text}`.trimEnd(), facts), calls };
    this.#askSimple(run, 'function-call', () => {
      this.#extended.otherRan(run);
      this.expected.push({ kind: 'function', run });
      this.host.toServer(bytes);
    });
  }

  #askSimple(run: Run, via: string, allow: () => void): void {
    this.#desk.ask({
      run,
      via,
      allow,
      refuse: (fields) => {
        this.#desk.refuse('simple', run, fields);
      },
    });
  }
}
