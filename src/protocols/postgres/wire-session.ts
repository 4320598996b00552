import type { Fault } from '../../core/errors.js';
import type { Decision, Session, Side, Step } from '../contract.js';
import type { Catalog, NameLookup } from './catalog/types.js';
import { ExpectedReplies } from './results/expected-replies.js';
import { errorMessage, noticeMessage } from './wire/messages.js';
import { Opening } from './opening/opening.js';
import { refusalFor, SQLSTATE } from './refusal.js';
import type { PostgresSessionOptions } from './opening/session-options.js';
import type { CancelKey } from './opening/startup.js';
import type { ClientSideHost } from './statements/statement-desk.js';

/** What a client may send ahead while the session is still being opened. */
const MAX_EARLY_BYTES = 1 << 20;
const NOTHING_TO_DECIDE: Decision = { action: 'allow', notices: [] };

type State = 'deciding-startup' | 'opening' | 'ready' | 'closed';

const SQLSTATE_OF: Partial<Record<Fault['code'], string>> = {
  limit: SQLSTATE.programLimit,
  upstream_auth: SQLSTATE.invalidAuthorization,
  not_allowed: SQLSTATE.insufficientPrivilege,
};

/** Reads what the client sends, and stops at what has to be decided. */
export interface SessionClient {
  /** It has said goodbye, or the session is over: nothing more is looked at. */
  ending: boolean;
  readonly inTransaction: boolean;
  readonly unreadBytes: number;
  readonly counts: { readonly statements: number; readonly blocked: number };
  push(bytes: Uint8Array): void;
  /** @returns false where nothing is to be judged */
  askStartup(): boolean;
  answer(ticket: number, decision: Decision): void;
  proceed(): void;
  parameter(name: string, value: string): void;
  lookup(catalog: Catalog): NameLookup;
}

/**
 * What every session goes through, whatever is said in it: its start is decided, it is opened with the stored credential,
 * and it ends by either side, a fault or the agent. See README.md for the states.
 */
export abstract class WireSession implements Session<Uint8Array> {
  protected readonly expected = new ExpectedReplies();
  #state: State = 'deciding-startup';
  #steps: Step[] = [];
  #serverKey: CancelKey | undefined;
  readonly #opening: Opening;

  constructor(options: PostgresSessionOptions) {
    this.#opening = new Opening(options, (name, value) => {
      this.client.parameter(name, value);
    });
  }

  protected abstract readonly client: SessionClient;
  /** What the server says in an open session. */
  protected abstract fromServer(bytes: Uint8Array): void;
  /** Has the server said itself why it ends the session? */
  protected abstract get serverEnds(): boolean;
  /** May a message of our own stand behind what went down? In the midst of another an error would be read as part of that. */
  protected abstract get betweenMessages(): boolean;
  /** The session is about to be over. */
  protected abstract closing(): void;

  /** @param notice where a message of our own may stand */
  protected clientHost(notice: (bytes: Uint8Array) => void): ClientSideHost {
    return {
      toServer: (bytes) => {
        this.send('upstream', bytes);
      },
      notice,
      step: (step) => {
        if (!this.closed) this.#steps.push(step);
      },
      fault: (fault) => {
        this.fail(fault);
      },
      goodbye: () => {
        this.close('client');
      },
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
    return this.expected.length > 0;
  }

  /** How the server looks names up now. */
  lookup(catalog: Catalog): NameLookup {
    return this.client.lookup(catalog);
  }

  /** Was a transaction open when the server was ready last? */
  get inTransaction(): boolean {
    return this.client.inTransaction;
  }

  get counts(): { readonly statements: number; readonly blocked: number } {
    return this.client.counts;
  }

  /** About the memory that it holds, in bytes. */
  abstract get heldBytes(): number;

  /** @param rest what the client sent behind its start-up packet */
  start(rest: Uint8Array): readonly Step[] {
    this.client.push(rest);
    if (!this.askStartup()) this.#startupDecided(NOTHING_TO_DECIDE);
    return this.#take();
  }

  /** @returns false where nothing is to be judged */
  protected askStartup(): boolean {
    return this.client.askStartup();
  }

  receive(from: Side, bytes: Uint8Array): readonly Step[] {
    if (this.closed) return [];
    if (from === 'client') {
      this.client.push(bytes);
      if (this.#state === 'ready') this.client.proceed();
      else if (this.client.unreadBytes > MAX_EARLY_BYTES)
        this.fail({ code: 'limit', message: `more than ${String(MAX_EARLY_BYTES)} B before the session was open` });
    } else if (this.#state === 'ready') this.fromServer(bytes);
    else if (this.#state === 'opening') this.#open(bytes);
    else this.fail({ code: 'protocol', message: 'the server spoke before it was asked' });
    return this.#take();
  }

  answer(ticket: number, decision: Decision): readonly Step[] {
    if (this.closed) return [];
    if (this.#state === 'deciding-startup') this.#startupDecided(decision);
    else this.client.answer(ticket, decision);
    return this.#take();
  }

  end(from: Side): readonly Step[] {
    if (this.closed) return [];
    const byClient = from === 'client' || this.client.ending;
    // The server's own last words, if it had any, have gone down already.
    if (!byClient && !this.serverEnds)
      this.tellClient(SQLSTATE.connectionFailure, 'the database server closed the connection');
    this.close(byClient ? 'client' : 'upstream');
    return this.#take();
  }

  /** Ends the session from the agent's side: shutdown, revoked right, lost upstream. */
  terminate(reason: string, code: string, message: string): readonly Step[] {
    if (this.closed) return [];
    this.tellClient(code, message);
    this.close(reason);
    return this.#take();
  }

  #startupDecided(decision: Decision): void {
    if (decision.action === 'hold') return;
    if (decision.action !== 'allow') {
      this.send('client', errorMessage({ ...refusalFor(decision, undefined), severity: 'FATAL' }));
      this.close('refused');
      return;
    }
    this.#state = 'opening';
    for (const notice of decision.notices) this.#opening.notice(noticeMessage(notice));
    this.send('upstream', this.#opening.start());
  }

  #open(bytes: Uint8Array): void {
    const { toServer, toClient, fault, ready } = this.#opening.receive(bytes);
    for (const message of toServer) this.send('upstream', message);
    for (const message of toClient) this.send('client', message);
    if (fault !== undefined) {
      // Of a server that can't be reached, or refuses in its own words, the client has been told.
      const told = fault.code === 'upstream_unreachable' || (fault.code === 'upstream_auth' && toClient.length > 0);
      if (told) this.close('upstream', fault);
      else this.fail(fault);
      return;
    }
    if (ready === undefined) return;
    this.#serverKey = ready.serverKey;
    this.#state = 'ready';
    if (ready.rest.length > 0) this.fromServer(ready.rest);
    this.client.proceed();
  }

  protected get closed(): boolean {
    return this.#state === 'closed';
  }

  protected fail(fault: Fault): void {
    this.tellClient(SQLSTATE_OF[fault.code] ?? SQLSTATE.protocolViolation, `hoop: ${fault.message}`);
    this.close('fault', fault);
  }

  /** In the midst of a message the cut is all that can be said. */
  protected tellClient(code: string, message: string): void {
    if (this.betweenMessages) this.send('client', errorMessage({ severity: 'FATAL', code, message }));
  }

  protected close(reason: string, fault?: Fault): void {
    if (this.closed) return;
    this.closing();
    this.#state = 'closed';
    // What the client sent behind is not looked at any more.
    this.client.ending = true;
    this.#steps.push({ kind: 'close', reason, ...(fault === undefined ? {} : { fault }) });
  }

  protected send(to: Side, bytes: Uint8Array): void {
    if (!this.closed) this.#steps.push({ kind: 'send', to, bytes });
  }

  protected step(step: Step): void {
    this.#steps.push(step);
  }

  #take(): readonly Step[] {
    const steps = this.#steps;
    this.#steps = [];
    return steps;
  }
}
