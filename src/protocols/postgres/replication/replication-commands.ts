import { isFault } from '../../../core/errors.js';
import type { Decision } from '../../contract.js';
import type { Catalog, NameLookup } from '../catalog/types.js';
import { queryText } from '../wire/client-messages.js';
import type { ExpectedReplies } from '../results/expected-replies.js';
import { replicationCommandFacts } from '../facts/replication.js';
import { CLIENT, FrameParser, type Frame } from '../wire/frames.js';
import { terminateMessage } from '../wire/messages.js';
import { PreparedStatements } from '../statements/prepared.js';
import type { Run } from '../statements/run.js';
import type { PostgresSessionOptions } from '../opening/session-options.js';
import { SqlPrepared } from '../statements/sql-prepared.js';
import { StatementDesk, type ClientSideHost } from '../statements/statement-desk.js';
import { StatementReader } from '../statements/statement-reader.js';
import { unreadable } from '../statements/statement-text.js';

const MAX_COPY_BYTES = 1 << 30;

/** Reads what the client of a replication session sends: each command is decided, what it streams back passes. */
export class ReplicationCommands {
  readonly #parser: FrameParser;
  readonly #desk: StatementDesk;
  readonly #reader: StatementReader;
  readonly #prepared: SqlPrepared;
  /** It has said goodbye, or the session is over. */
  ending = false;
  /** Was a transaction open when the server was ready last? */
  inTransaction = false;

  constructor(
    private readonly options: PostgresSessionOptions,
    private readonly expected: ExpectedReplies,
    private readonly host: ClientSideHost,
  ) {
    this.#parser = new FrameParser({
      maxFrameBytes: (type) => (type === CLIENT.copyData ? MAX_COPY_BYTES : options.limits.statementBytes),
    });
    this.#desk = new StatementDesk(options, expected, host);
    this.#reader = new StatementReader(options.sql, expected, options.startup.settings);
    this.#prepared = new SqlPrepared(options.sql, new PreparedStatements());
  }

  get counts(): { readonly statements: number; readonly blocked: number } {
    return this.#desk.counts;
  }

  get unreadBytes(): number {
    return this.#parser.heldBytes;
  }

  push(bytes: Uint8Array): void {
    this.#parser.push(bytes);
  }

  parameter(name: string, value: string): void {
    this.#reader.parameter(name, value);
  }

  completed(run: Run, tag: string): void {
    this.#prepared.completed(run, tag);
    this.#reader.completed(run, tag);
  }

  /** The server is ready: `I` with no transaction open. */
  serverReady(status: string): void {
    this.inTransaction = status !== 'I';
    this.#reader.ready(status);
  }

  /** How names in SQL are looked up now. */
  lookup(catalog: Catalog): NameLookup {
    return this.#reader.lookup(catalog);
  }

  /** `replication` is a setting, so that there is something to ask. */
  askStartup(): boolean {
    return this.#desk.askStartup();
  }

  /** Records that there may be no session at all, for a reason that is not policy's. */
  refuseStartup(): void {
    const text = this.options.startup.settings.map(([name, value]) => `${name} = ${value}`).join('; ');
    const facts = unreadable(text, 'a replication session');
    this.#desk.recordRefused({ statement: 0, text, facts, basis: facts, startedMs: 0 }, 'startup', 'hoop/replication');
  }

  answer(ticket: number, decision: Decision): void {
    this.#desk.answer(ticket, decision);
    this.proceed();
  }

  /** Works off what has arrived, up to the next command that must be decided. */
  proceed(): void {
    while (!this.#desk.waiting && !this.ending) {
      if (this.#parser.nextType === CLIENT.query && this.#reader.mustWait) return;
      const frame = this.#parser.next();
      if (frame === undefined) return;
      if (isFault(frame)) this.#fault(frame.code === 'limit' ? 'limit' : 'protocol', frame.message);
      else if (frame.oversizeBytes !== undefined) this.#fault('limit', `message of ${String(frame.oversizeBytes)} B`);
      else this.#frame(frame);
    }
  }

  #frame(frame: Frame): void {
    switch (frame.type) {
      case CLIENT.query:
        this.#query(frame.bytes);
        return;
      case CLIENT.terminate:
        this.ending = true;
        this.host.toServer(terminateMessage());
        this.host.goodbye();
        return;
      case CLIENT.sync:
        this.expected.push({ kind: 'sync' });
        break;
      case CLIENT.copyData:
      case CLIENT.copyDone:
      case CLIENT.copyFail:
      case CLIENT.flush:
        break;
      default:
        this.#fault('protocol', 'a replication session takes simple queries only');
        return;
    }
    this.host.toServer(frame.bytes);
  }

  #query(bytes: Uint8Array): void {
    const raw = queryText(bytes);
    if (raw === undefined) {
      this.#fault('protocol', 'malformed query message');
      return;
    }
    const { text, facts: read } = this.#reader.read(raw);
    const run = this.#desk.newRun(text, replicationCommandFacts(text) ?? this.#prepared.withExecuted(text, read));
    this.#desk.ask({
      run,
      via: 'query',
      allow: () => {
        this.#prepared.remember(text, read);
        this.#reader.running(run);
        this.expected.push({ kind: 'query', run });
        this.host.toServer(bytes);
      },
      refuse: (fields) => {
        this.#desk.refuse('simple', run, fields);
      },
    });
  }

  #fault(code: 'protocol' | 'limit', message: string): void {
    this.ending = true;
    this.host.fault({ code, message });
  }
}
