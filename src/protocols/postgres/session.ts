/**
 * One client's Postgres session: what the client sends is read and decided before it goes up, what
 * the server sends is masked and recorded before it goes down. See README.md for the states.
 */
import type { Fault } from '../../core/errors.js';
import type { Decision, Session, Side, Step } from '../contract.js';
import { AnswerReader } from './answers.js';
import type { Catalog, NameLookup } from './catalog/types.js';
import { ClientSide } from './client-side.js';
import { ExpectedReplies } from './expected-replies.js';
import { errorMessage, noticeMessage } from './messages.js';
import { Opening } from './opening.js';
import { PreparedStatements } from './prepared.js';
import { refusalFor, SQLSTATE } from './refusal.js';
import type { HandlerHost } from './handler-host.js';
import { ResultHandler } from './result-handler.js';
import type { PostgresSessionOptions } from './session-options.js';
import type { CancelKey } from './startup.js';

/** What a client may send ahead while the session is still being opened. */
const MAX_EARLY_BYTES = 1 << 20;
const NOTHING_TO_DECIDE: Decision = { action: 'allow', notices: [] };

type State = 'deciding-startup' | 'opening' | 'ready' | 'closed';

export class PostgresSession implements Session<Uint8Array> {
  #state: State = 'deciding-startup';
  #steps: Step[] = [];
  #serverKey: CancelKey | undefined;
  #deferred: Uint8Array[] = [];
  readonly #expected = new ExpectedReplies();
  readonly #prepared = new PreparedStatements();
  readonly #opening: Opening;
  readonly #handler: ResultHandler;
  readonly #answers: AnswerReader;
  readonly #client: ClientSide;

  constructor(options: PostgresSessionOptions) {
    const emit = (bytes: Uint8Array): void => {
      this.#send('client', bytes);
    };
    this.#client = new ClientSide(options, this.#expected, this.#prepared, {
      toServer: (bytes) => {
        this.#send('upstream', bytes);
      },
      notice: (bytes) => {
        this.#betweenMessages(bytes);
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
    this.#opening = new Opening(options, (name, value) => {
      this.#client.parameter(name, value);
    });
    this.#handler = new ResultHandler(this.#handlerHost(options));
    this.#answers = new AnswerReader({ maxHeldBytes: options.limits.rowBytes }, this.#handler, emit);
  }

  #handlerHost(options: PostgresSessionOptions): HandlerHost {
    return {
      expected: this.#expected,
      prepared: this.#prepared,
      masks: () => options.masks(),
      nowMs: () => options.nowMs(),
      bounds: options.bounds,
      record: (event) => this.#steps.push({ kind: 'record', event }),
      parameter: (name, value) => {
        this.#client.parameter(name, value);
      },
      skipping: () => {
        this.#client.skipToSync();
      },
      readyUnasked: () => {
        this.#client.readyUnasked();
      },
      copyIn: () => {
        this.#client.copyStarted();
      },
      ready: (status) => {
        this.#client.serverReady(status);
        if (status === 'I') options.idle?.();
      },
      completed: (run, tag, via) => {
        this.#client.completed(run, tag, via);
      },
      copyFormat: (run) => this.#client.copyFormat(run),
    };
  }

  /** The server's cancel key, once it gave one; the drive uses it for a cancel, nobody else sees it. */
  get serverKey(): CancelKey | undefined {
    return this.#serverKey;
  }

  /** Is it still being decided whether the session may start? */
  get deciding(): boolean {
    return this.#state === 'deciding-startup';
  }

  /** Is it the server's turn, and the session not open yet? */
  get opening(): boolean {
    return this.#state === 'opening';
  }

  /** Is a statement running? A cancel at another time would hit the next one. */
  get busy(): boolean {
    return this.#expected.length > 0;
  }

  /** How the server looks names up now. */
  lookup(catalog: Catalog): NameLookup {
    return this.#client.lookup(catalog);
  }

  /** Was a transaction open when the server was ready last? */
  get inTransaction(): boolean {
    return this.#client.inTransaction;
  }

  /** About the memory that it holds, in bytes: messages in parts, prepared texts, portals, answers that are awaited. */
  get heldBytes(): number {
    return this.#client.heldBytes + this.#prepared.heldBytes + this.#answers.heldBytes + this.#expected.heldBytes;
  }

  get counts(): { readonly statements: number; readonly blocked: number } {
    return this.#client.counts;
  }

  /** @param rest what the client sent behind its start-up packet */
  start(rest: Uint8Array): readonly Step[] {
    this.#client.push(rest);
    if (!this.#client.askStartup()) this.#startupDecided(NOTHING_TO_DECIDE);
    return this.#take();
  }

  receive(from: Side, bytes: Uint8Array): readonly Step[] {
    if (this.#state === 'closed') return [];
    if (from === 'client') {
      this.#client.push(bytes);
      if (this.#state === 'ready') this.#client.proceed();
      else if (this.#client.unreadBytes > MAX_EARLY_BYTES) {
        this.#fail({ code: 'limit', message: `more than ${String(MAX_EARLY_BYTES)} B before the session was open` });
      }
    } else if (this.#state === 'ready') {
      this.#fromServer(bytes);
    } else if (this.#state === 'opening') {
      this.#open(bytes);
    } else {
      this.#fail({ code: 'protocol', message: 'the server spoke before it was asked' });
    }
    return this.#take();
  }

  answer(ticket: number, decision: Decision): readonly Step[] {
    if (this.#state === 'closed') return [];
    if (this.#state === 'deciding-startup') this.#startupDecided(decision);
    else this.#client.answer(ticket, decision);
    return this.#take();
  }

  end(from: Side): readonly Step[] {
    if (this.#state === 'closed') return [];
    if (from === 'client') {
      this.#close('client');
    } else {
      // The server's own last words, if it had any, have gone down already.
      if (!this.#client.ending && !this.#handler.fatal)
        this.#tellClient(SQLSTATE.connectionFailure, 'the database server closed the connection');
      this.#close(this.#client.ending ? 'client' : 'upstream');
    }
    return this.#take();
  }

  /** Ends the session from the agent's side: shutdown, revoked right, lost upstream. */
  terminate(reason: string, code: string, message: string): readonly Step[] {
    if (this.#state === 'closed') return [];
    this.#tellClient(code, message);
    this.#close(reason);
    return this.#take();
  }

  #startupDecided(decision: Decision): void {
    if (decision.action === 'hold') return;
    if (decision.action !== 'allow') {
      const refusal = refusalFor(decision, undefined);
      this.#send('client', errorMessage({ ...refusal, severity: 'FATAL' }));
      this.#close('refused');
      return;
    }
    this.#state = 'opening';
    for (const notice of decision.notices) this.#opening.notice(noticeMessage(notice));
    this.#send('upstream', this.#opening.start());
  }

  #open(bytes: Uint8Array): void {
    const step = this.#opening.receive(bytes);
    for (const message of step.toServer) this.#send('upstream', message);
    for (const message of step.toClient) this.#send('client', message);
    if (step.fault !== undefined) {
      if (step.fault.code === 'upstream_unreachable') this.#close('upstream', step.fault);
      else if (step.toClient.length > 0 && step.fault.code === 'upstream_auth') this.#close('upstream', step.fault);
      else this.#fail(step.fault);
      return;
    }
    if (step.ready === undefined) return;
    this.#serverKey = step.ready.serverKey;
    this.#state = 'ready';
    if (step.ready.rest.length > 0) this.#fromServer(step.ready.rest);
    this.#client.proceed();
  }

  #fromServer(bytes: Uint8Array): void {
    const fault = this.#answers.push(bytes);
    if (fault !== undefined) {
      this.#fail(fault);
      return;
    }
    if (this.#deferred.length > 0 && !this.#answers.midMessage) {
      for (const message of this.#deferred) this.#send('client', message);
      this.#deferred = [];
    }
    this.#client.proceed();
  }

  /** Puts in a message of our own where one may stand: between two of the server's. */
  #betweenMessages(bytes: Uint8Array): void {
    if (this.#answers.midMessage) this.#deferred.push(bytes);
    else this.#send('client', bytes);
  }

  #fail(fault: Fault): void {
    const code =
      fault.code === 'limit'
        ? SQLSTATE.programLimit
        : fault.code === 'upstream_auth'
          ? SQLSTATE.invalidAuthorization
          : SQLSTATE.protocolViolation;
    this.#tellClient(code, `hoop: ${fault.message}`);
    this.#close('fault', fault);
  }

  /** In the midst of a message an error would be read as part of it: then the cut is all that can be said. */
  #tellClient(code: string, message: string): void {
    if (!this.#answers.midMessage) this.#send('client', errorMessage({ severity: 'FATAL', code, message }));
  }

  #close(reason: string, fault?: Fault): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    // What the client sent behind is not looked at any more.
    this.#client.ending = true;
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
