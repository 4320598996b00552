import { messageOf, type Fault } from '../core/errors.js';
import { encodeFault, parseFault } from './fault-payload.js';
import { FrameQueue, type Link } from './frame-queue.js';
import { FRAME, type FrameType, readUint32, TunnelFrameParser } from './frames.js';
import type { Resumption } from './held-streams.js';
import { MuxStream } from './mux-stream.js';
import { parseCounts, parseResumeRequest, type ResumeRequest } from './resume-payload.js';
import type { StreamOutlet } from './stream-outlet.js';
import type { AcceptedStream, TunnelStream } from './stream.js';

export interface MuxOptions {
  readonly link: Link;
  /** Which side opens streams: the CLI. The agent accepts. */
  readonly role: 'opener' | 'acceptor';
  readonly maxStreams?: number;
  /** At the agent: where streams that hold are known. At the CLI: it can resume them. Else they end with the tunnel. */
  readonly resumption?: Resumption | true | undefined;
  /** Runs `task` after the I/O of this turn: frames of one turn leave in one write. */
  readonly schedule: (task: () => void) => void;
}

/**
 * Many streams over one link. Each stream has its own credit, so that a slow reader holds back its
 * own sender and nobody else; the link's fill holds back all.
 */
export class Mux {
  readonly #streams = new Map<number, MuxStream>();
  readonly #parser: TunnelFrameParser;
  readonly #out: FrameQueue;
  /** At the CLI: streams that wait for the agent's word on how far it has come. */
  readonly #resuming = new Map<number, StreamOutlet>();
  #nextStream = 1;
  #highestAccepted = 0;
  #closed = false;
  #closesIdle = false;
  #onStream: ((stream: AcceptedStream) => void) | undefined;
  #onEvent: ((event: Readonly<Record<string, unknown>>) => void) | undefined;
  #onDetached: ((stream: MuxStream) => void) | undefined;

  constructor(private readonly options: MuxOptions) {
    this.#out = new FrameQueue({
      link: options.link,
      schedule: options.schedule,
      onDrained: () => {
        for (const stream of this.#streams.values()) stream.linkDrained();
      },
    });
    this.#parser = new TunnelFrameParser({
      onData: (id, bytes) => this.#streams.get(id)?.received(bytes),
      onControl: (type, id, payload) => {
        this.#control(type, id, payload);
      },
    });
  }

  onStream(listener: (stream: AcceptedStream) => void): void {
    this.#onStream = listener;
  }

  onEvent(listener: (event: Readonly<Record<string, unknown>>) => void): void {
    this.#onEvent = listener;
  }

  /** At the CLI: takes the streams that hold when the link is lost. */
  onDetached(listener: (stream: MuxStream) => void): void {
    this.#onDetached = listener;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  /** Opens a stream; on a closed mux the stream closes at once with a fault. */
  openStream(): TunnelStream {
    const id = this.#newId();
    const stream = new MuxStream(this.#outlet(id), this.options.resumption === true);
    this.#streams.set(id, stream);
    this.#out.mark(FRAME.open, id);
    if (this.#closed) stream.destroy({ code: 'unreachable', message: 'the tunnel is closed' });
    return stream;
  }

  /** At the CLI: goes on with a stream that held when its tunnel was lost; one that was given up meanwhile is ended. */
  resume(stream: MuxStream): void {
    const id = this.#newId();
    const outlet = this.#outlet(id);
    const request: ResumeRequest = { token: stream.resumeToken ?? '', ...stream.counts };
    this.#out.text(FRAME.resume, id, JSON.stringify(request));
    if (stream.isClosed) {
      outlet.reset();
      return;
    }
    this.#resuming.set(id, outlet);
    this.#streams.set(id, stream);
  }

  sendEvent(event: Readonly<Record<string, unknown>>): void {
    this.#out.text(FRAME.event, 0, JSON.stringify(event));
  }

  /** Bytes off the link. A fault ends all streams and the link. */
  receive(chunk: Uint8Array): void {
    if (this.#closed) return;
    const fault = this.#parser.push(chunk);
    if (fault !== undefined) this.close(fault);
  }

  /** Closes the link once no stream is left on it; open none from here on. */
  closeWhenIdle(): void {
    this.#closesIdle = true;
    this.#closeIfIdle();
  }

  /** Ends every stream. Idempotent. */
  close(fault?: Fault): void {
    this.#over(fault, false);
  }

  /** The link broke: ends every stream but those that hold, which wait to be resumed. */
  lost(fault: Fault): void {
    this.#over(fault, true);
  }

  #closeIfIdle(): void {
    if (this.#closesIdle && this.#streams.size === 0) this.close();
  }

  #over(fault: Fault | undefined, broken: boolean): void {
    if (this.#closed) return;
    this.#out.close();
    this.#closed = true;
    const { resumption } = this.options;
    for (const stream of [...this.#streams.values()]) {
      if (!broken || resumption === undefined || !stream.suspend())
        stream.lost(fault ?? { code: 'unreachable', message: 'the tunnel was closed' });
      else if (resumption === true) this.#onDetached?.(stream);
      else resumption.park(stream);
    }
    this.#streams.clear();
    this.#resuming.clear();
    this.options.link.close();
  }

  #newId(): number {
    this.#nextStream += 1;
    return this.#nextStream - 1;
  }

  #outlet(id: number): StreamOutlet {
    return {
      data: (bytes) => this.#out.data(id, bytes),
      end: () => {
        this.#out.mark(FRAME.end, id);
      },
      reset: (fault) => {
        this.#out.text(FRAME.reset, id, encodeFault(fault));
      },
      credit: (bytes) => {
        this.#out.credit(id, bytes);
      },
      event: (event) => {
        this.sendEvent(event);
      },
      hold: () => this.#hold(id),
      release: () => {
        this.#out.mark(FRAME.release, id);
      },
      resumed: (counts) => {
        this.#out.text(FRAME.resumed, id, JSON.stringify(counts));
      },
      closed: () => {
        this.#streams.delete(id);
        if (this.#closesIdle)
          this.options.schedule(() => {
            this.#closeIfIdle();
          });
      },
    };
  }

  #hold(id: number): (() => void) | undefined {
    const { resumption } = this.options;
    const stream = this.#streams.get(id);
    if (resumption === undefined || resumption === true || stream === undefined) return undefined;
    this.#out.text(FRAME.hold, id, resumption.register(stream));
    return () => {
      resumption.forget(stream);
    };
  }

  #control(type: FrameType, id: number, payload: Uint8Array): void {
    if (type === FRAME.event) this.#event(payload);
    else if (type === FRAME.open) this.#accept(id);
    else if (type === FRAME.resume) this.#takeUp(id, payload);
    else {
      const stream = this.#streams.get(id);
      // Frames of a stream that this side has just reset are still under way: not a fault.
      if (stream !== undefined) this.#onStreamFrame(type, id, stream, payload);
    }
  }

  #onStreamFrame(type: FrameType, id: number, stream: MuxStream, payload: Uint8Array): void {
    if (type === FRAME.credit) stream.granted(payload.length === 4 ? readUint32(payload, 0) : 0);
    else if (type === FRAME.end) stream.ended();
    else if (type === FRAME.reset) {
      // One that the agent does not resume has no way yet by which it could take itself off.
      if (this.#resuming.delete(id)) this.#streams.delete(id);
      stream.lost(parseFault(payload));
    } else if (type === FRAME.release) stream.released();
    else if (type === FRAME.hold && this.options.resumption === true) stream.held(new TextDecoder().decode(payload));
    else if (type === FRAME.resumed) this.#resumed(id, stream, payload);
  }

  #resumed(id: number, stream: MuxStream, payload: Uint8Array): void {
    const outlet = this.#resuming.get(id);
    const counts = parseCounts(payload);
    if (outlet === undefined || !this.#resuming.delete(id)) return;
    const fault = counts === undefined ? RESUME_FAULT : stream.attach(outlet, counts, false);
    if (fault === undefined) return;
    outlet.reset(fault);
    this.#streams.delete(id);
    stream.lost(fault);
  }

  /** At the agent: the next stream of the CLI; false ends the tunnel. */
  #isNext(id: number): boolean {
    if (this.options.role === 'acceptor' && id > this.#highestAccepted) {
      this.#highestAccepted = id;
      return true;
    }
    this.close({ code: 'protocol', message: 'the other side opened a stream out of turn' });
    return false;
  }

  #accept(id: number): void {
    if (!this.#isNext(id)) return;
    const stream = new MuxStream(this.#outlet(id), false);
    this.#streams.set(id, stream);
    if (this.#streams.size > (this.options.maxStreams ?? 1024)) {
      stream.destroy({
        code: 'limit',
        message: `more than ${String(this.options.maxStreams ?? 1024)} streams in one tunnel`,
      });
      return;
    }
    this.#onStream?.(stream);
  }

  #takeUp(id: number, payload: Uint8Array): void {
    if (!this.#isNext(id)) return;
    const outlet = this.#outlet(id);
    const { resumption } = this.options;
    const request = parseResumeRequest(payload);
    const stream =
      request === undefined || resumption === undefined || resumption === true
        ? undefined
        : resumption.find(request.token);
    // The tunnel before may look alive from here: who shows the token takes the stream over.
    if (request === undefined || stream === undefined || !stream.suspend()) {
      outlet.reset({ code: 'unreachable', message: 'the statement does not wait here any more' });
      return;
    }
    this.#streams.set(id, stream);
    const fault = stream.attach(outlet, request, true);
    if (fault === undefined) return;
    this.#streams.delete(id);
    outlet.reset(fault);
    stream.lost(fault);
  }

  #event(payload: Uint8Array): void {
    try {
      const event: unknown = JSON.parse(new TextDecoder().decode(payload));
      if (typeof event === 'object' && event !== null) this.#onEvent?.(event as Record<string, unknown>);
    } catch (error) {
      this.close({ code: 'protocol', message: `unreadable tunnel event: ${messageOf(error)}` });
    }
  }
}

const RESUME_FAULT: Fault = { code: 'protocol', message: 'the other side resumed a stream unreadably' };
