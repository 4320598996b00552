/**
 * One client's Postgres session: what the client sends is read and decided before it goes up, what
 * the server sends is masked and recorded before it goes down. See README.md for the states.
 */
import { AnswerReader } from './results/answers.js';
import { ClientSide } from './client-side.js';
import type { HandlerHost } from './handler-host.js';
import { PreparedStatements } from './statements/prepared.js';
import { ResultHandler } from './results/result-handler.js';
import type { PostgresSessionOptions } from './opening/session-options.js';
import { WireSession } from './wire-session.js';

export class PostgresSession extends WireSession {
  protected readonly client: ClientSide;
  #deferred: Uint8Array[] = [];
  readonly #prepared = new PreparedStatements();
  readonly #handler: ResultHandler;
  readonly #answers: AnswerReader;

  constructor(options: PostgresSessionOptions) {
    super(options);
    const host = this.clientHost((bytes) => {
      this.#putIn(bytes);
    });
    this.client = new ClientSide(options, this.expected, this.#prepared, host);
    this.#handler = new ResultHandler(this.#handlerHost(options));
    this.#answers = new AnswerReader({ maxHeldBytes: options.limits.rowBytes }, this.#handler, (bytes) => {
      this.send('client', bytes);
    });
  }

  #handlerHost(options: PostgresSessionOptions): HandlerHost {
    return {
      expected: this.expected,
      prepared: this.#prepared,
      masks: () => options.masks(),
      nowMs: () => options.nowMs(),
      bounds: options.bounds,
      record: (event) => {
        this.step({ kind: 'record', event });
      },
      parameter: (name, value) => {
        this.client.parameter(name, value);
      },
      skipping: () => {
        this.client.skipToSync();
      },
      readyUnasked: () => {
        this.client.readyUnasked();
      },
      copyIn: () => {
        this.client.copyStarted();
      },
      ready: (status) => {
        this.client.serverReady(status);
        if (status === 'I') options.idle?.();
      },
      completed: (run, tag, via) => {
        this.client.completed(run, tag, via);
      },
      copyFormat: (run) => this.client.copyFormat(run),
    };
  }

  /** Messages in parts, prepared texts, portals, answers that are awaited. */
  get heldBytes(): number {
    return this.client.heldBytes + this.#prepared.heldBytes + this.#answers.heldBytes + this.expected.heldBytes;
  }

  protected get serverEnds(): boolean {
    return this.#handler.fatal;
  }

  protected get betweenMessages(): boolean {
    return !this.#answers.midMessage;
  }

  protected closing(): void {
    this.#deferred = [];
  }

  protected fromServer(bytes: Uint8Array): void {
    const fault = this.#answers.push(bytes);
    if (fault !== undefined) {
      this.fail(fault);
      return;
    }
    if (this.#deferred.length > 0 && this.betweenMessages) {
      for (const message of this.#deferred) this.send('client', message);
      this.#deferred = [];
    }
    this.client.proceed();
  }

  /** Puts in a message of our own where one may stand: between two of the server's. */
  #putIn(bytes: Uint8Array): void {
    if (this.betweenMessages) this.send('client', bytes);
    else this.#deferred.push(bytes);
  }
}
