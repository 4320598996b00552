/**
 * A session of the streaming replication protocol: START_REPLICATION, BASE_BACKUP and the like, and plain SQL where the
 * client asked for `replication=database`. Every command is decided and recorded as a statement is; what the server
 * streams can't be masked, so no mask may apply to the caller. Only simple queries exist here, as on the server.
 *
 * @see https://www.postgresql.org/docs/current/protocol-replication.html
 */
import { isFault, type Fault } from '../../core/errors.js';
import type { Decision, Session, Side, Step } from '../contract.js';
import type { Catalog, NameLookup } from './catalog/types.js';
import { maskReport } from './error-masker.js';
import { ExpectedReplies, runOf } from './expected-replies.js';
import { BodyReader, FrameParser, SERVER, type Frame } from './frames.js';
import { errorMessage, noticeMessage } from './messages.js';
import { Opening } from './opening.js';
import { refusalFor, SQLSTATE } from './refusal.js';
import { ReplicationCommands } from './replication-commands.js';
import { ReplicationResult } from './replication-result.js';
import type { PostgresSessionOptions } from './session-options.js';
import type { CancelKey } from './startup.js';

const MAX_EARLY_BYTES = 1 << 20;

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

type State = 'deciding-startup' | 'opening' | 'ready' | 'closed';

export interface ReplicationOptions extends PostgresSessionOptions {
  /** Does the connection allow replication? */
  readonly allowed: boolean;
}

export class ReplicationSession implements Session<Uint8Array> {
  #state: State = 'deciding-startup';
  #steps: Step[] = [];
  #serverKey: CancelKey | undefined;
  #result: ReplicationResult | undefined;
  /** The server has said why it ends the session. */
  #fatal = false;
  readonly #options: ReplicationOptions;
  readonly #expected = new ExpectedReplies();
  readonly #client: ReplicationCommands;
  readonly #opening: Opening;
  readonly #fromServer: FrameParser;

  constructor(options: ReplicationOptions) {
    const { startup, limits } = options;
    // Judged and sent as one more setting.
    const settings = [...startup.settings, ['replication', startup.replication ?? ''] as const];
    this.#options = { ...options, startup: { ...startup, settings } };
    this.#client = new ReplicationCommands(this.#options, this.#expected, {
      toServer: (bytes) => {
        this.#send('upstream', bytes);
      },
      notice: (bytes) => {
        this.#send('client', bytes);
      },
      step: (step) => {
        if (this.#state !== 'closed') this.#steps.push(step);
      },
      fault: (fault) => {
        this.#fail(fault);
      },
      goodbye: () => {
        this.#close('client');
      },
    });
    this.#opening = new Opening(this.#options, (name, value) => {
      this.#client.parameter(name, value);
    });
    this.#fromServer = new FrameParser({ maxFrameBytes: () => limits.rowBytes });
  }

  get serverKey(): CancelKey | undefined {
    return this.#serverKey;
  }

  get deciding(): boolean {
    return this.#state === 'deciding-startup';
  }

  get opening(): boolean {
    return this.#state === 'opening';
  }

  lookup(catalog: Catalog): NameLookup {
    return this.#client.lookup(catalog);
  }

  get inTransaction(): boolean {
    return this.#client.inTransaction;
  }

  get busy(): boolean {
    return this.#expected.length > 0;
  }

  /** Bytes of messages of which a part is missing. */
  get heldBytes(): number {
    return this.#client.unreadBytes + this.#fromServer.heldBytes;
  }

  get counts(): { readonly statements: number; readonly blocked: number } {
    return this.#client.counts;
  }

  /** @param rest what the client sent behind its start-up packet */
  start(rest: Uint8Array): readonly Step[] {
    this.#client.push(rest);
    const refusal = this.#refusal();
    if (refusal === undefined) this.#client.askStartup();
    else this.#refuse(refusal);
    return this.#take();
  }

  receive(from: Side, bytes: Uint8Array): readonly Step[] {
    if (this.#state === 'closed') return [];
    if (from === 'client') {
      this.#client.push(bytes);
      if (this.#state === 'ready') this.#client.proceed();
      else if (this.#client.unreadBytes > MAX_EARLY_BYTES)
        this.#fail({ code: 'limit', message: `more than ${String(MAX_EARLY_BYTES)} B before the session was open` });
    } else if (this.#state === 'ready') this.#answers(bytes);
    else if (this.#state === 'opening') this.#open(bytes);
    else this.#fail({ code: 'protocol', message: 'the server spoke before it was asked' });
    return this.#take();
  }

  answer(ticket: number, decision: Decision): readonly Step[] {
    if (this.#state === 'closed') return [];
    if (this.#state === 'deciding-startup') this.#startupDecided(decision);
    else {
      this.#client.answer(ticket, decision);
      this.#client.proceed();
    }
    return this.#take();
  }

  end(from: Side): readonly Step[] {
    if (this.#state === 'closed') return [];
    if (from === 'upstream' && !this.#fatal)
      this.#tellClient(SQLSTATE.connectionFailure, 'the database server closed the connection');
    this.#close(from);
    return this.#take();
  }

  terminate(reason: string, code: string, message: string): readonly Step[] {
    if (this.#state === 'closed') return [];
    this.#tellClient(code, message);
    this.#close(reason);
    return this.#take();
  }

  /** Why there may be no replication now; asked again for all that the server sends. */
  #refusal(): string | undefined {
    if (!this.#options.allowed) return 'replication is not allowed on this connection (its setting `replication`)';
    const { answers, columns } = this.#options.masks();
    if (answers === undefined && columns === undefined) return undefined;
    return 'what replication streams can not be masked, and masks apply to you on this connection';
  }

  #refuse(why: string): void {
    this.#client.refuseStartup();
    this.#tellClient(SQLSTATE.insufficientPrivilege, `hoop: ${why}`);
    this.#close('refused');
  }

  #startupDecided(decision: Decision): void {
    if (decision.action === 'hold') return;
    if (decision.action !== 'allow') {
      this.#send('client', errorMessage({ ...refusalFor(decision, undefined), severity: 'FATAL' }));
      this.#close('refused');
      return;
    }
    this.#state = 'opening';
    for (const notice of decision.notices) this.#opening.notice(noticeMessage(notice));
    this.#send('upstream', this.#opening.start());
  }

  #open(bytes: Uint8Array): void {
    const { toServer, toClient, fault, ready } = this.#opening.receive(bytes);
    for (const message of toServer) this.#send('upstream', message);
    for (const message of toClient) this.#send('client', message);
    const told = fault?.code === 'upstream_unreachable' || (fault?.code === 'upstream_auth' && toClient.length > 0);
    if (fault !== undefined) {
      if (told) this.#close('upstream', fault);
      else this.#fail(fault);
      return;
    }
    if (ready === undefined) return;
    this.#serverKey = ready.serverKey;
    this.#state = 'ready';
    if (ready.rest.length > 0) this.#answers(ready.rest);
    this.#client.proceed();
  }

  #answers(bytes: Uint8Array): void {
    this.#fromServer.push(bytes);
    const refusal = this.#refusal();
    for (let frame = this.#fromServer.next(); frame !== undefined; frame = this.#fromServer.next()) {
      if (refusal !== undefined) this.#fail({ code: 'not_allowed', message: refusal });
      else if (isFault(frame)) this.#fail(frame);
      else if (frame.oversizeBytes !== undefined)
        this.#fail({ code: 'limit', message: `the server sent a message of ${String(frame.oversizeBytes)} B` });
      else if (!ANSWERS.has(frame.type)) this.#fail({ code: 'protocol', message: 'the server sent no answer' });
      else this.#answer(frame);
      if (this.#state === 'closed') return;
    }
    this.#client.proceed();
  }

  #answer(frame: Frame): void {
    const front = this.#expected.front();
    const run = runOf(front);
    const refused = front !== undefined && 'refused' in front ? front.refused : undefined;
    const report =
      frame.type === SERVER.error ? maskReport(frame.bytes, undefined, 'none', new Map())?.report : undefined;
    this.#fatal ||= report?.severity === 'FATAL' || report?.severity === 'PANIC';
    if (run !== undefined && refused === undefined) {
      this.#result ??= new ReplicationResult(run);
      this.#result.take(frame, report);
      if (frame.type === SERVER.commandComplete) this.#client.completed(run, this.#result.tag ?? '');
    }
    if (frame.type === SERVER.parameterStatus) {
      const reader = new BodyReader(frame.bytes);
      this.#client.parameter(reader.cstring(), reader.cstring());
    }
    const replaced = frame.type === SERVER.error && refused !== undefined && !this.#fatal;
    this.#send('client', replaced ? errorMessage(refused) : frame.bytes);
    if (frame.type !== SERVER.readyForQuery) return;
    const status = String.fromCharCode(new BodyReader(frame.bytes).byte());
    this.#client.serverReady(status);
    this.#recordResult();
    this.#expected.shift();
    if (status === 'I') this.#options.idle?.();
  }

  #recordResult(): void {
    const options = this.#options;
    const mask = (text: string): string => options.masks().record?.maskText(text, new Map()) ?? text;
    const event = this.#result?.event(options.nowMs(), mask);
    if (event !== undefined) this.#steps.push({ kind: 'record', event });
    this.#result = undefined;
  }

  #fail(fault: Fault): void {
    const codes: Partial<Record<Fault['code'], string>> = {
      limit: SQLSTATE.programLimit,
      upstream_auth: SQLSTATE.invalidAuthorization,
      not_allowed: SQLSTATE.insufficientPrivilege,
    };
    this.#tellClient(codes[fault.code] ?? SQLSTATE.protocolViolation, `hoop: ${fault.message}`);
    this.#close('fault', fault);
  }

  /** Whole messages alone go down, so an error of our own may always follow. */
  #tellClient(code: string, message: string): void {
    this.#send('client', errorMessage({ severity: 'FATAL', code, message }));
  }

  #close(reason: string, fault?: Fault): void {
    if (this.#state === 'closed') return;
    // What was streamed so far: a receiver ends by hanging up.
    this.#recordResult();
    this.#state = 'closed';
    this.#steps.push({ kind: 'close', reason, ...(fault === undefined ? {} : { fault }) });
  }

  #send(to: Side, bytes: Uint8Array): void {
    if (this.#state !== 'closed') this.#steps.push({ kind: 'send', to, bytes });
  }

  #take(): readonly Step[] {
    const steps = this.#steps;
    this.#steps = [];
    return steps;
  }
}
