/** Ends the stream instead of passing a message. */
export interface RelayStop {
  readonly code: number;
  readonly reason: string;
}

/** What becomes of a message. */
export interface Relayed {
  /** Goes on in its place, in order, as the kind of message that it was. */
  readonly on: readonly Buffer[];
  /** Text messages that go back to its sender. */
  readonly back?: readonly Buffer[];
}

export type Relaying = Relayed | RelayStop;

/** Bytes of messages that wait behind one that is looked at: enough to see a side close, or hang up. */
const MAX_WAITING_BYTES = 1 << 20;
/** What a message costs besides its bytes. */
const MESSAGE_BYTES = 256;

export interface LaneOptions {
  look(data: Buffer, binary: boolean): Relaying | Promise<Relaying>;
  pass(passed: Relaying, binary: boolean): void;
  /** @returns what becomes of a message that could not be looked at */
  failed(error: unknown): Relaying;
  /** A message that took its time is through, and those behind it. */
  idle(): void;
}

/** The messages of one side, one after the other: while one is looked at, those behind it wait in order. */
export class MessageLane {
  readonly #waiting: { readonly data: Buffer; readonly binary: boolean }[] = [];
  #bytes = 0;
  #busy = false;
  #then: (() => void) | undefined;

  constructor(private readonly options: LaneOptions) {}

  /** One is being looked at. */
  get busy(): boolean {
    return this.#busy;
  }

  /** No more should be read of this side. */
  get full(): boolean {
    return this.#bytes > MAX_WAITING_BYTES;
  }

  push(data: Buffer, binary: boolean): void {
    if (!this.#busy) {
      this.#look(data, binary);
      return;
    }
    this.#waiting.push({ data, binary });
    this.#bytes += data.length + MESSAGE_BYTES;
  }

  /** Runs `then` behind all that was pushed. */
  whenIdle(then: () => void): void {
    if (this.#busy) this.#then = then;
    else then();
  }

  #look(data: Buffer, binary: boolean): void {
    const { options } = this;
    let looked: Relaying | Promise<Relaying>;
    try {
      looked = options.look(data, binary);
    } catch (error) {
      looked = options.failed(error);
    }
    if (!(looked instanceof Promise)) {
      options.pass(looked, binary);
      return;
    }
    this.#busy = true;
    void looked
      .catch((error: unknown) => options.failed(error))
      .then((passed) => {
        this.#busy = false;
        options.pass(passed, binary);
        this.#next();
      });
  }

  #next(): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#bytes -= next.data.length + MESSAGE_BYTES;
      this.#look(next.data, next.binary);
      // By what it looks like it may have to wait.
      if (this.busy) return;
    }
    const then = this.#then;
    this.#then = undefined;
    then?.();
    this.options.idle();
  }
}
