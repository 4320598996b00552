import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../src/core/errors.js';
import { HeldStreams } from '../../src/tunnel/held-streams.js';
import { Mux } from '../../src/tunnel/mux.js';
import type { MuxStream } from '../../src/tunnel/mux-stream.js';
import type { AcceptedStream, TunnelStream } from '../../src/tunnel/stream.js';

interface Wire {
  readonly opener: Mux;
  readonly acceptor: Mux;
  /** Moves up to so many bytes, first those to the agent, until nothing moves any more. */
  run(bytes?: number): void;
  /** What is on the way is gone; both ends hear of it. */
  cut(): void;
}

const CUT: Fault = { code: 'unreachable', message: 'cut' };

/** The laptop and the agent, and one tunnel after the other between them. */
class Ends {
  readonly held = new HeldStreams(10_000);
  readonly detached: MuxStream[] = [];
  readonly accepted: AcceptedStream[] = [];
  readonly toAgent: number[] = [];
  readonly agentFaults: (Fault | undefined)[] = [];
  agentEnds = 0;

  wire(owner = 'ann'): Wire {
    const tasks: (() => void)[] = [];
    const up: Uint8Array[] = [];
    const down: Uint8Array[] = [];
    const end = (role: 'opener' | 'acceptor', out: Uint8Array[]): Mux =>
      new Mux({
        role,
        resumption: role === 'opener' ? true : this.held.of(owner),
        schedule: (task) => tasks.push(task),
        link: { send: (bytes) => out.push(bytes.slice()), bufferedBytes: () => 0, close: () => undefined },
      });
    const opener = end('opener', up);
    const acceptor = end('acceptor', down);
    opener.onDetached((stream) => this.detached.push(stream));
    acceptor.onStream((stream) => {
      this.accepted.push(stream);
      stream.onData((bytes) => this.toAgent.push(...bytes));
      stream.onEnd(() => (this.agentEnds += 1));
      stream.onClose((fault) => this.agentFaults.push(fault));
    });
    const move = (wire: Uint8Array[], to: Mux, most: number): number => {
      const bytes = wire.shift();
      if (bytes === undefined) return 0;
      const now = bytes.subarray(0, most);
      if (now.length < bytes.length) wire.unshift(bytes.subarray(now.length));
      to.receive(now);
      return now.length;
    };
    return {
      opener,
      acceptor,
      run: (bytes = Infinity) => {
        for (let left = bytes; left > 0;) {
          const task = tasks.shift();
          if (task !== undefined) {
            task();
            continue;
          }
          const moved = move(up, acceptor, left) || move(down, opener, left);
          if (moved === 0) return;
          left -= moved;
        }
      },
      cut: () => {
        up.length = 0;
        down.length = 0;
        opener.lost(CUT);
        acceptor.lost(CUT);
      },
    };
  }

  get agent(): AcceptedStream {
    return this.accepted[0] as AcceptedStream;
  }
}

interface Local {
  readonly stream: TunnelStream;
  readonly got: number[];
  readonly faults: (Fault | undefined)[];
}

function openLocal(wire: Wire): Local {
  const stream = wire.opener.openStream();
  const got: number[] = [];
  const faults: (Fault | undefined)[] = [];
  stream.onData((bytes) => got.push(...bytes));
  stream.onClose((fault) => faults.push(fault));
  return { stream, got, faults };
}

function heldPair(): { ends: Ends; first: Wire; local: Local } {
  const ends = new Ends();
  const first = ends.wire();
  const local = openLocal(first);
  local.stream.write(Uint8Array.of(1, 2, 3));
  first.run();
  ends.agent.hold();
  first.run();
  return { ends, first, local };
}

describe('a stream that holds', () => {
  it('carries every byte once, both ways, however often and wherever its tunnels are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ up: fc.nat(400), down: fc.nat(400), before: fc.nat(900) }), {
          minLength: 1,
          maxLength: 8,
        }),
        (rounds) => {
          const { ends, first, local } = heldPair();
          let wire = first;
          let next = 4;
          const sentUp = [1, 2, 3];
          const sentDown: number[] = [];
          for (const { up, down, before } of rounds) {
            const some = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => (next += 1) & 0xff);
            const upward = some(up);
            const downward = some(down);
            local.stream.write(upward);
            ends.agent.write(downward);
            sentUp.push(...upward);
            sentDown.push(...downward);
            wire.run(before);
            wire.cut();
            wire = ends.wire();
            for (const stream of ends.detached.splice(0)) wire.opener.resume(stream);
          }
          local.stream.end();
          wire.run();
          expect(ends.toAgent).toEqual(sentUp);
          expect(local.got).toEqual(sentDown);
          expect([ends.accepted.length, ends.agentEnds, ends.held.size]).toEqual([1, 1, 1]);
          expect(local.faults).toEqual([]);
        },
      ),
      { numRuns: 80 },
    );
  });

  it('goes on with its credit: 768 KB in each direction after a cut in the middle of them', () => {
    const { ends, first, local } = heldPair();
    const piece = new Uint8Array(64 * 1024);
    for (let sent = 0; sent < 6; sent += 1) {
      local.stream.write(piece);
      ends.agent.write(piece);
    }
    first.run(300_000);
    first.cut();
    const second = ends.wire();
    for (const stream of ends.detached.splice(0)) second.opener.resume(stream);
    for (let sent = 0; sent < 6; sent += 1) {
      local.stream.write(piece);
      ends.agent.write(piece);
    }
    second.run();
    expect(ends.toAgent).toHaveLength(3 + 12 * piece.length);
    expect(local.got).toHaveLength(12 * piece.length);
  });

  it('runs what was approved while it was cut only once the laptop is back', () => {
    const { ends, first } = heldPair();
    first.cut();
    let ran = 0;
    ends.agent.release(() => (ran += 1));
    expect(ran).toBe(0);
    const second = ends.wire();
    for (const stream of ends.detached.splice(0)) second.opener.resume(stream);
    second.run();
    expect(ran).toBe(1);
    expect(ends.held.size).toBe(0);
  });

  it('ends with its tunnel again once the hold is over', () => {
    const { ends, first, local } = heldPair();
    ends.agent.release(() => undefined);
    first.run();
    first.cut();
    expect(local.faults).toEqual([CUT]);
    expect(ends.agentFaults).toEqual([CUT]);
  });

  it('does not run what was approved when the cut came between the question and the laptop’s word', () => {
    const { ends, first, local } = heldPair();
    let ran = 0;
    ends.agent.release(() => (ran += 1));
    // Down comes the question, and the answer is lost on its way up.
    first.run(9);
    first.cut();
    expect(ran).toBe(0);
    expect(local.faults).toEqual([CUT]);
    expect(ends.held.size).toBe(1);
  });

  it('is withdrawn at once by a laptop that comes back without its local client', () => {
    const { ends, first, local } = heldPair();
    first.cut();
    local.stream.destroy();
    const second = ends.wire();
    for (const stream of ends.detached.splice(0)) second.opener.resume(stream);
    second.run();
    expect(ends.agentFaults).toEqual([undefined]);
    expect(ends.held.size).toBe(0);
  });

  it('can be taken over from a tunnel that only looks alive', () => {
    const { ends, first, local } = heldPair();
    // The laptop knows that its tunnel is gone, the agent does not.
    first.opener.lost(CUT);
    const second = ends.wire();
    for (const stream of ends.detached.splice(0)) second.opener.resume(stream);
    second.run();
    first.acceptor.lost(CUT);
    ends.agent.write(Uint8Array.of(9));
    second.run();
    expect(local.got).toEqual([9]);
    expect(ends.agentFaults).toEqual([]);
  });

  it.each([
    ['another owner', 'eve', (stream: MuxStream) => stream],
    ['another token', 'ann', (stream: MuxStream) => stolen(stream, { resumeToken: 'x'.repeat(43) })],
    [
      'bytes that were never sent',
      'ann',
      (stream: MuxStream) => stolen(stream, { counts: { received: 9, credited: 0, ended: false } }),
    ],
    [
      'credit below what was given',
      'ann',
      (stream: MuxStream) => stolen(stream, { counts: { received: 0, credited: 5, ended: false } }),
    ],
  ])('is not given to %s', (_case, owner, changed) => {
    const { ends, first } = heldPair();
    first.cut();
    const second = ends.wire(owner);
    const stream = ends.detached[0] as MuxStream;
    second.opener.resume(changed(stream));
    second.run();
    ends.agent.write(Uint8Array.of(9));
    second.run();
    expect(stream.counts.received).toBe(0);
    expect(second.opener.streamCount).toBe(0);
  });

  it('ends after the time it waits, and the laptop that comes later is told that it is gone', async () => {
    const held = new HeldStreams(1);
    const ends = new Ends();
    Object.assign(ends, { held });
    const first = ends.wire();
    const local = openLocal(first);
    first.run();
    ends.agent.hold();
    first.run();
    first.cut();
    while (ends.agentFaults.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(ends.agentFaults[0]?.code).toBe('unreachable');
    const second = ends.wire();
    for (const stream of ends.detached.splice(0)) second.opener.resume(stream);
    second.run();
    expect(local.faults[0]?.code).toBe('unreachable');
  });

  it('holds nothing for a CLI that can not resume', () => {
    const accepted: AcceptedStream[] = [];
    const acceptor = new Mux({
      role: 'acceptor',
      schedule: () => undefined,
      link: { send: () => undefined, bufferedBytes: () => 0, close: () => undefined },
    });
    acceptor.onStream((stream) => accepted.push(stream));
    acceptor.receive(Uint8Array.of(1, 0, 0, 0, 1, 0, 0, 0, 0));
    let faults = 0;
    accepted[0]?.onClose(() => (faults += 1));
    accepted[0]?.hold();
    acceptor.lost(CUT);
    expect(faults).toBe(1);
  });
});

/** The same stream, of which the other end is told something else. */
function stolen(stream: MuxStream, lies: Partial<Pick<MuxStream, 'resumeToken' | 'counts'>>): MuxStream {
  return new Proxy(stream, {
    get: (target, name) =>
      name in lies
        ? lies[name as keyof typeof lies]
        : ((value: unknown) => (typeof value === 'function' ? (value.bind(target) as unknown) : value))(
            Reflect.get(target, name, target),
          ),
  });
}
