/**
 * A session of the streaming replication protocol: START_REPLICATION, BASE_BACKUP and the like, and plain SQL where the
 * client asked for `replication=database`. Every command is decided and recorded as a statement is; what the server
 * streams can't be masked, so no mask may apply to the caller. Only simple queries exist here, as on the server.
 *
 * @see https://www.postgresql.org/docs/current/protocol-replication.html
 */
import { isFault } from '../../../core/errors.js';
import { maskReport } from '../results/error-masker.js';
import { runOf } from '../results/expected-replies.js';
import { BodyReader, FrameParser, SERVER, type Frame } from '../wire/frames.js';
import { errorMessage } from '../wire/messages.js';
import { SQLSTATE } from '../refusal.js';
import { ReplicationCommands } from './replication-commands.js';
import { ReplicationResult } from './replication-result.js';
import type { PostgresSessionOptions } from '../opening/session-options.js';
import { WireSession } from '../wire-session.js';

/** What a server may say in an open session. */
const ANSWERS: ReadonlySet<number> = new Set([
  SERVER.commandComplete,
  SERVER.copyBoth,
  SERVER.copyData,
  SERVER.copyDone,
  SERVER.copyIn,
  SERVER.copyOut,
  SERVER.dataRow,
  SERVER.emptyQuery,
  SERVER.error,
  SERVER.notice,
  SERVER.notification,
  SERVER.parameterStatus,
  SERVER.readyForQuery,
  SERVER.rowDescription,
]);

export interface ReplicationOptions extends PostgresSessionOptions {
  /** Does the connection allow replication? */
  readonly allowed: boolean;
}

export class ReplicationSession extends WireSession {
  protected readonly client: ReplicationCommands;
  #result: ReplicationResult | undefined;
  /** The server has said why it ends the session. */
  #fatal = false;
  readonly #options: ReplicationOptions;
  readonly #frames: FrameParser;

  constructor(options: ReplicationOptions) {
    const { startup, limits } = options;
    // Judged and sent as one more setting.
    const settings = [...startup.settings, ['replication', startup.replication ?? ''] as const];
    const asked = { ...options, startup: { ...startup, settings } };
    super(asked);
    this.#options = asked;
    const host = this.clientHost((bytes) => {
      this.send('client', bytes);
    });
    this.client = new ReplicationCommands(asked, this.expected, host);
    this.#frames = new FrameParser({ maxFrameBytes: () => limits.rowBytes });
  }

  /** Messages of which a part is missing. */
  get heldBytes(): number {
    return this.client.unreadBytes + this.#frames.heldBytes;
  }

  protected override askStartup(): boolean {
    const refusal = this.#refusal();
    if (refusal === undefined) return super.askStartup();
    this.#refuse(refusal);
    return true;
  }

  protected get serverEnds(): boolean {
    return this.#fatal;
  }

  /** Whole messages alone go down. */
  protected get betweenMessages(): boolean {
    return true;
  }

  /** A receiver ends by hanging up: what was streamed so far is recorded. */
  protected closing(): void {
    this.#recordResult();
  }

  /** Why there may be no replication now; asked again for all that the server sends. */
  #refusal(): string | undefined {
    if (!this.#options.allowed) return 'replication is not allowed on this connection (its setting `replication`)';
    const { answers, columns } = this.#options.masks();
    if (answers === undefined && columns === undefined) return undefined;
    return 'what replication streams can not be masked, and masks apply to you on this connection';
  }

  #refuse(why: string): void {
    this.client.refuseStartup();
    this.tellClient(SQLSTATE.insufficientPrivilege, `hoop: ${why}`);
    this.close('refused');
  }

  protected fromServer(bytes: Uint8Array): void {
    this.#frames.push(bytes);
    const refusal = this.#refusal();
    for (let frame = this.#frames.next(); frame !== undefined; frame = this.#frames.next()) {
      if (refusal !== undefined) this.fail({ code: 'not_allowed', message: refusal });
      else if (isFault(frame)) this.fail(frame);
      else if (frame.oversizeBytes !== undefined)
        this.fail({ code: 'limit', message: `the server sent a message of ${String(frame.oversizeBytes)} B` });
      else if (!ANSWERS.has(frame.type)) this.fail({ code: 'protocol', message: 'the server sent no answer' });
      else this.#answer(frame);
      if (this.closed) return;
    }
    this.client.proceed();
  }

  #answer(frame: Frame): void {
    const front = this.expected.front();
    const run = runOf(front);
    const refused = front !== undefined && 'refused' in front ? front.refused : undefined;
    const report =
      frame.type === SERVER.error ? maskReport(frame.bytes, undefined, 'none', new Map())?.report : undefined;
    this.#fatal ||= report?.severity === 'FATAL' || report?.severity === 'PANIC';
    if (run !== undefined && refused === undefined) {
      this.#result ??= new ReplicationResult(run);
      this.#result.take(frame, report);
      if (frame.type === SERVER.commandComplete) this.client.completed(run, this.#result.tag ?? '');
    }
    if (frame.type === SERVER.parameterStatus) {
      const reader = new BodyReader(frame.bytes);
      this.client.parameter(reader.cstring(), reader.cstring());
    }
    const replaced = frame.type === SERVER.error && refused !== undefined && !this.#fatal;
    this.send('client', replaced ? errorMessage(refused) : frame.bytes);
    if (frame.type !== SERVER.readyForQuery) return;
    const status = String.fromCharCode(new BodyReader(frame.bytes).byte());
    this.client.serverReady(status);
    this.#recordResult();
    this.expected.shift();
    if (status === 'I') this.#options.idle?.();
  }

  #recordResult(): void {
    const options = this.#options;
    const mask = (text: string): string => options.masks().record?.maskText(text, new Map()) ?? text;
    const event = this.#result?.event(options.nowMs(), mask);
    if (event !== undefined) this.step({ kind: 'record', event });
    this.#result = undefined;
  }
}
