import { type ErrorCode, type Fault, HoopError, messageOf } from '../../core/errors.js';
import type { TunnelClient } from '../../tunnel/dial.js';
import { RETIRING_EVENT, TOKEN_ENDING_EVENT } from '../../tunnel/handshake.js';
import { DetachedStreams } from './detached-streams.js';
import { type KeeperTime, SYSTEM_TIME } from './keeper-time.js';
import { RunningSessions } from './running-sessions.js';
import type { WakeWatch } from './wake-watch.js';

/** What happens to a connection while its port is open: one line of `hoop connect --json`. */
export type ConnectionEvent = Readonly<Record<string, unknown>> & {
  readonly event: string;
  readonly connection: string;
};

export interface KeeperOptions {
  readonly connection: string;
  /** One attempt, with a token that is fresh at that moment. */
  readonly dial: () => Promise<TunnelClient>;
  readonly onEvent: (event: ConnectionEvent) => void;
  /** Tells of a sleep and of another network. */
  readonly wake?: Pick<WakeWatch, 'onWake'> | undefined;
  readonly time?: KeeperTime;
}

interface Waiter {
  readonly resolve: (tunnel: TunnelClient) => void;
  readonly reject: (error: HoopError) => void;
  readonly cancelTimeout: () => void;
}

/** What the agent may say. Anything else, from a newer one, is dropped: `listening` is for this side to say. */
const AGENT_EVENTS: ReadonlySet<unknown> = new Set([
  'session.opened',
  'session.closed',
  'approval.waiting',
  'approval.resolved',
  'blocked',
  'statement',
]);

/** How long a local connection waits for a tunnel, in ms. */
const WAIT_MS = 30_000;
const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 15_000;
/** A tunnel that lived shorter than this, in ms, does not start the delays anew. */
const STEADY_AFTER_MS = 10_000;

/** Dialling again can't help until a person did something; the next local connection tries once more. */
const FINAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'not_logged_in',
  'token_refused',
  'login_denied',
  'login_expired',
  'no_access',
  'access_needed',
  'not_allowed',
  'not_found',
  'not_in_version',
  'config_missing',
  'config_invalid',
  'usage',
]);

/**
 * Keeps one connection's tunnel: dials, and when it breaks dials again with growing, scattered
 * delays. Whoever needs the tunnel meanwhile waits, at most 30 s.
 */
export class TunnelKeeper {
  readonly #time: KeeperTime;
  readonly #waiters = new Set<Waiter>();
  readonly #detached: DetachedStreams;
  readonly #running: RunningSessions;
  /** Tunnels of an agent that goes, or with a token that ends: nothing new on them, what runs on them goes on. */
  readonly #retired = new Set<TunnelClient>();
  readonly #offWake: (() => void) | undefined;
  #tunnel: TunnelClient | undefined;
  #dialedAtMs = 0;
  #dialing = false;
  #attempt = 0;
  #cancelRetry: (() => void) | undefined;
  #lastWhy = 'the tunnel is closed';
  #closed = false;

  constructor(private readonly options: KeeperOptions) {
    this.#time = options.time ?? SYSTEM_TIME;
    this.#detached = new DetachedStreams(this.#time);
    this.#running = new RunningSessions(this.#time, (session, why) => {
      const closed = { event: 'session.closed', session, connection: options.connection };
      if (!this.#closed) options.onEvent(why === undefined ? closed : { ...closed, why });
    });
    this.#offWake = options.wake?.onWake(() => {
      this.#woke();
    });
  }

  /**
   * The first dial; only its failure is thrown, later ones are tried again.
   *
   * @throws HoopError as `dial` throws it
   */
  async start(): Promise<void> {
    this.#take(await this.options.dial());
  }

  /**
   * The tunnel, as soon as there is one. Open the stream and set its listeners in the same turn.
   *
   * @throws HoopError unreachable after 30 s; at once, what a new dial can't mend, e.g. not_logged_in
   */
  ready(): Promise<TunnelClient> {
    if (this.#tunnel !== undefined) return Promise.resolve(this.#tunnel);
    if (this.#closed) return Promise.reject(new HoopError('unreachable', 'the port is being closed'));
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        resolve,
        reject,
        cancelTimeout: this.#time.after(WAIT_MS, () => {
          this.#waiters.delete(waiter);
          reject(
            new HoopError('unreachable', `no tunnel to the agent within ${String(WAIT_MS / 1_000)} s`, {
              why: this.#lastWhy,
            }),
          );
        }),
      };
      this.#waiters.add(waiter);
      if (!this.#dialing && this.#cancelRetry === undefined) void this.#redial();
    });
  }

  /** Where sessions may run that no new stream reaches: tunnels of agents that go, and the one in use; else none. */
  get leaving(): readonly TunnelClient[] {
    if (this.#retired.size === 0) return [];
    return [...this.#retired, ...(this.#tunnel === undefined ? [] : [this.#tunnel])];
  }

  /** Ends the tunnel and every stream in it. */
  close(): void {
    this.#closed = true;
    this.#offWake?.();
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#tunnel?.close();
    this.#tunnel = undefined;
    for (const tunnel of this.#retired) tunnel.close();
    this.#detached.close();
    this.#rejectWaiters(new HoopError('unreachable', 'the port is being closed'));
  }

  #take(tunnel: TunnelClient): void {
    if (this.#closed) {
      tunnel.close();
      return;
    }
    if (this.#tunnel !== undefined) this.#leave(this.#tunnel);
    this.#tunnel = tunnel;
    this.#dialedAtMs = this.#time.nowMs();
    tunnel.onEvent((event) => {
      const name = event['event'];
      if (name === RETIRING_EVENT) this.#retire(tunnel);
      else if (name === TOKEN_ENDING_EVENT) void this.#renew(tunnel);
      else if (typeof name === 'string' && AGENT_EVENTS.has(name)) {
        this.#running.note(tunnel, event);
        this.options.onEvent({ event: name, ...event, connection: this.options.connection });
      }
    });
    tunnel.onDetached((stream) => {
      if (this.#closed) stream.lost({ code: 'unreachable', message: 'the port was closed' });
      else {
        this.#detached.add(stream);
        this.#running.detached(stream);
      }
      // One that was left breaks while another is there: no next one will come to take up what holds.
      if (this.#tunnel !== undefined && this.#tunnel !== tunnel) this.#detached.resumeOver(this.#tunnel);
    });
    tunnel.onClose((fault) => {
      this.#retired.delete(tunnel);
      // Without a fault it was left, and closed once nothing ran on it any more.
      this.#running.brokeOff(tunnel, fault?.message);
      if (this.#tunnel === tunnel) this.#lost(fault);
    });
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#detached.resumeOver(tunnel);
    for (const waiter of this.#waiters) {
      waiter.cancelTimeout();
      waiter.resolve(tunnel);
    }
    this.#waiters.clear();
  }

  /**
   * The token ends: another tunnel with a fresh one takes its place for what is new. Nobody waits, and nobody is told but
   * where there is no fresh token to be had.
   */
  async #renew(tunnel: TunnelClient): Promise<void> {
    if (this.#tunnel !== tunnel) return;
    try {
      const next = await this.options.dial();
      // It broke meanwhile, and its successor is there already.
      if (this.#tunnel !== undefined && this.#tunnel !== tunnel) next.close();
      else this.#take(next);
    } catch (error) {
      if (this.#tunnel !== tunnel) return;
      this.#leave(tunnel);
      this.#tunnel = undefined;
      this.#failed(error);
    }
  }

  #leave(tunnel: TunnelClient): void {
    this.#retired.add(tunnel);
    tunnel.closeWhenIdle();
  }

  /** The agent goes: what runs ends there, what is new goes to whoever takes its place. */
  #retire(tunnel: TunnelClient): void {
    if (this.#tunnel !== tunnel) return;
    this.#retired.add(tunnel);
    this.#lost({ code: 'unreachable', message: 'the agent is shutting down' });
  }

  /** Whatever looks alive may be dead, and whatever waits to be tried again waits for nothing. */
  #woke(): void {
    this.#tunnel?.probe();
    for (const tunnel of this.#retired) tunnel.probe();
    if (this.#cancelRetry === undefined) return;
    this.#cancelRetry();
    this.#cancelRetry = undefined;
    this.#attempt = 0;
    void this.#redial();
  }

  #lost(fault: Fault | undefined): void {
    this.#tunnel = undefined;
    if (this.#closed) return;
    this.#lastWhy = fault?.message ?? 'the tunnel was closed';
    if (this.#time.nowMs() - this.#dialedAtMs >= STEADY_AFTER_MS) this.#attempt = 0;
    this.#retryLater();
  }

  #retryLater(): void {
    this.#attempt += 1;
    const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.#attempt - 1));
    // Half fixed, half random: a thousand laptops that lost one agent don't come back at one moment.
    const delayMs = Math.round((longest / 2) * (1 + this.#time.random()));
    this.options.onEvent({
      event: 'reconnecting',
      connection: this.options.connection,
      attempt: this.#attempt,
      inMs: delayMs,
      why: this.#lastWhy,
    });
    this.#cancelRetry = this.#time.after(delayMs, () => {
      this.#cancelRetry = undefined;
      void this.#redial();
    });
  }

  async #redial(): Promise<void> {
    this.#dialing = true;
    try {
      const tunnel = await this.options.dial();
      this.#dialing = false;
      if (!this.#closed) this.options.onEvent({ event: 'reconnected', connection: this.options.connection });
      this.#take(tunnel);
    } catch (error) {
      this.#dialing = false;
      if (!this.#closed) this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    this.#lastWhy = messageOf(error);
    if (!(error instanceof HoopError) || !FINAL.has(error.code)) {
      this.#retryLater();
      return;
    }
    this.options.onEvent({
      event: 'disconnected',
      connection: this.options.connection,
      code: error.code,
      why: error.message,
      suggestion: error.suggestion,
    });
    this.#rejectWaiters(error);
  }

  #rejectWaiters(error: HoopError): void {
    for (const waiter of this.#waiters) {
      waiter.cancelTimeout();
      waiter.reject(error);
    }
    this.#waiters.clear();
  }
}
