import { messageOf } from '../../core/errors.js';
import type { RecordedEvent } from '../../core/events.js';
import type { Decision, Side, Step } from '../../protocols/contract.js';
import type { AcceptedStream, TunnelStream } from '../../tunnel/stream.js';
import { Backlog } from './backlog.js';
import { carryOut, type OtherStep } from './carry-out.js';
import { Decider } from './decider.js';
import type { DrivenSession, DriveHost } from './drive-host.js';

/** How long a server may take to finish after the client said goodbye. */
const GOODBYE_MS = 10_000;
/** Answers that may stand in one another: each statement of a pipeline is asked about in the answer to the one before. */
const MAX_NESTED = 64;

/** The client's side: a tunnel's stream, which may outlive its tunnel while it holds. */
export type ClientStream = TunnelStream & Partial<Pick<AcceptedStream, 'hold' | 'release'>>;

/**
 * Runs one session: carries out its steps between the client, the server, policy and the record.
 * The order that security rests on is kept here, once, for all protocols (docs/architecture.md).
 */
export class Drive {
  readonly #backlog = new Backlog();
  readonly #decider: Decider;
  /** A ticket is open: nothing more of the client reaches the session. */
  #deciding = false;
  #nested = 0;
  #clientEnded = false;
  #closed = false;
  #upstream: TunnelStream | undefined;
  /** What goes on once the client is known to be there, or to have left. */
  #whenPresent: (() => void) | undefined;

  constructor(
    private readonly session: DrivenSession,
    private readonly client: ClientStream,
    private readonly host: DriveHost,
  ) {
    this.#decider = new Decider(host, {
      answer: (ticket, decision) => {
        this.#answer(ticket, decision);
      },
      closed: () => this.#closed,
      clientLeft: () => {
        if (this.#clientEnded) this.#guarded(() => this.session.end('client'));
        return this.#clientEnded;
      },
      whenPresent: (proceed) => {
        this.#afterReturn(proceed);
      },
    });
    client.onData((bytes) => {
      this.#fromClient(bytes);
    });
    client.onEnd(() => {
      this.#clientGone();
    });
    client.onClose(() => {
      this.#clientGone();
    });
    client.onDrain(() => this.#upstream?.resume());
  }

  /** The server's side is open. */
  attach(upstream: TunnelStream): void {
    if (this.#closed) return upstream.destroy();
    this.#upstream = upstream;
    const { trace } = this.host;
    upstream.onData((bytes) => {
      trace?.looking();
      this.#guarded(() => this.session.receive('upstream', bytes));
      this.#bound();
      trace?.looked(this.session.busy);
    });
    upstream.onEnd(() => {
      this.#guarded(() => this.session.end('upstream'));
    });
    upstream.onClose(() => {
      this.#guarded(() => this.session.end('upstream'));
    });
    upstream.onDrain(() => {
      if (!this.#backlog.full) this.client.resume();
    });
  }

  /** Carries out the first steps. */
  start(steps: readonly Step[]): void {
    this.#guarded(() => steps);
  }

  get idle(): boolean {
    return !this.session.busy && !this.#deciding;
  }

  /** The client asked, by its cancel key, to stop what runs or waits. */
  cancel(): Promise<void> | undefined {
    if (this.#decider.holding) this.#decider.withdraw('cancelled by the requester');
    else if (this.session.busy) return this.host.cancelUpstream();
    return undefined;
  }

  /** Ends the session from the agent's side. */
  terminate(reason: string, code: string, message: string): void {
    // A server that is at work does not see that its socket is closed: what nobody waits for any more would run on.
    if (!this.#closed && this.session.busy) void this.host.cancelUpstream();
    this.#guarded(() => this.session.terminate(reason, code, message));
  }

  #fromClient(bytes: Uint8Array): void {
    if (this.#closed) return;
    if (!this.#deciding) {
      this.#guarded(() => this.session.receive('client', bytes));
      this.#bound();
      return;
    }
    this.#backlog.push(bytes);
    if (this.#backlog.full) this.client.pause();
  }

  /** A session that holds more than its part of the memory ends, so that the others go on. */
  #bound(): void {
    const { maxHeldBytes } = this.host;
    if (this.#closed || this.session.heldBytes + this.#backlog.bytes <= maxHeldBytes) return;
    const message = `hoop: the session holds more than limits.sessionBytes (${String(maxHeldBytes)} bytes)`;
    this.host.log('session ended: it holds more than limits.sessionBytes');
    this.terminate('limit', '54000', message);
  }

  #clientGone(): void {
    if (this.#clientEnded) return;
    this.#clientEnded = true;
    // A waiting statement of somebody who has left must not run any more.
    this.#decider.withdraw('the requester hung up');
    this.#present();
    // What is being decided is answered first; the end follows it.
    if (!this.#deciding) this.#guarded(() => this.session.end('client'));
  }

  #afterReturn(proceed: () => void): void {
    this.#whenPresent = proceed;
    if (this.#clientEnded || this.client.release === undefined) this.#present();
    else
      this.client.release(() => {
        this.#present();
      });
  }

  #present(): void {
    const proceed = this.#whenPresent;
    this.#whenPresent = undefined;
    proceed?.();
  }

  #guarded(work: () => readonly Step[]): void {
    if (this.#closed) return;
    try {
      this.#run(work());
    } catch (error) {
      this.#failed(error);
    }
  }

  /** An error of ours: nobody can say what would have been right, so nothing more passes. */
  #failed(error: unknown): void {
    this.host.log(`session ended by an internal error: ${messageOf(error)}`);
    try {
      this.#run(this.session.terminate('fault', 'XX000', 'hoop: internal error; the session was ended'));
    } catch (again) {
      this.host.log(`and could not be ended in good order: ${messageOf(again)}`);
      this.#close('fault');
    }
  }

  #run(steps: readonly Step[]): void {
    carryOut(steps, {
      closed: () => this.#closed,
      send: (side, bytes) => {
        this.#send(side, bytes);
      },
      record: (event) => {
        this.#record(event);
      },
      step: (step) => {
        this.#step(step);
      },
    });
  }

  #step(step: OtherStep): void {
    if (step.kind === 'close') {
      if (step.fault !== undefined) this.host.log(`session ended: ${step.fault.message}`);
      this.#close(step.reason);
    } else if (step.kind === 'study') this.#study(step.ticket, step.text);
    else {
      this.#deciding = true;
      this.#decider.ask(step.ticket, step.question);
    }
  }

  /** Nothing more of the client reaches the session meanwhile, as while it is decided. */
  #study(ticket: number, text: string): void {
    this.#deciding = true;
    this.host.study(text).then(
      () => {
        this.#answer(ticket, { action: 'allow', notices: [] });
      },
      (error: unknown) => {
        this.#failed(error);
      },
    );
  }

  #send(to: Side, bytes: Uint8Array): void {
    if (to === 'client') {
      if (!this.client.write(bytes)) this.#upstream?.pause();
    } else if (this.#upstream?.write(bytes) === false) {
      this.client.pause();
    }
  }

  #answer(ticket: number, decision: Decision): void {
    if (this.#nested >= MAX_NESTED) {
      // The stack would not do for thousands of statements that came at once; the ticket stays open until then.
      queueMicrotask(() => {
        this.#answer(ticket, decision);
      });
      return;
    }
    this.#nested += 1;
    try {
      this.#goOn(ticket, decision);
    } finally {
      this.#nested -= 1;
    }
  }

  #goOn(ticket: number, decision: Decision): void {
    const staysOpen = decision.action === 'hold';
    if (staysOpen) this.client.hold?.();
    else this.#deciding = false;
    this.#guarded(() => this.session.answer(ticket, decision));
    if (staysOpen || this.#deciding || this.#closed) return;
    this.#workOffBacklog();
    if (this.#clientEnded && !this.#deciding) this.#guarded(() => this.session.end('client'));
  }

  #workOffBacklog(): void {
    while (!this.#deciding && !this.#closed) {
      const bytes = this.#backlog.shift();
      if (bytes === undefined) return this.client.resume();
      this.#guarded(() => this.session.receive('client', bytes));
      this.#bound();
    }
  }

  /**
   * Results are gathered; the recorder writes them with the next statement, or a moment later. Where one
   * can't be recorded any more, its statement was, and no further one will run.
   */
  #record(event: RecordedEvent): void {
    try {
      this.host.record(event);
    } catch (error) {
      this.host.log(`result not recorded: ${messageOf(error)}`);
    }
  }

  #close(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#decider.withdraw('the session ended');
    this.client.end();
    const upstream = this.#upstream;
    if (upstream !== undefined && reason === 'client') {
      upstream.end();
      upstream.resume();
      const timer = setTimeout(() => {
        upstream.destroy();
      }, GOODBYE_MS).unref();
      // The timer holds the whole session: thousands of short ones in a row would pile up behind it.
      upstream.onClose(() => {
        clearTimeout(timer);
      });
    } else {
      upstream?.destroy();
    }
    this.client.resume();
    const { statements, blocked } = this.session.counts;
    this.host
      .seal({ type: 'session.end', reason, statements, blocked })
      .catch((error: unknown) => {
        this.host.log(`session not sealed: ${messageOf(error)}`);
      })
      .finally(() => {
        this.host.closed();
      });
  }
}
