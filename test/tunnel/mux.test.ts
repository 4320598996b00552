import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../src/core/errors.js';
import { TunnelFrameParser, encodeHeader, FRAME } from '../../src/tunnel/frames.js';
import { Mux } from '../../src/tunnel/mux.js';
import { WINDOW_BYTES } from '../../src/tunnel/stream-outlet.js';
import type { TunnelStream } from '../../src/tunnel/stream.js';

/** Two muxes joined by arrays; `run` moves bytes until nothing moves any more. */
function pair(slice = 1 << 30): { opener: Mux; acceptor: Mux; run: () => void } {
  const tasks: (() => void)[] = [];
  const wires: Uint8Array[][] = [[], []];
  const end = (role: 'opener' | 'acceptor', out: Uint8Array[]): Mux =>
    new Mux({
      role,
      schedule: (task) => tasks.push(task),
      link: { send: (bytes) => out.push(bytes.slice()), bufferedBytes: () => 0, close: () => undefined },
    });
  const opener = end('opener', wires[0] as Uint8Array[]);
  const acceptor = end('acceptor', wires[1] as Uint8Array[]);
  const move = (wire: Uint8Array[], to: Mux): boolean => {
    const bytes = wire.shift();
    if (bytes === undefined) return false;
    for (let at = 0; at < bytes.length; at += slice) to.receive(bytes.subarray(at, at + slice));
    return true;
  };
  const run = (): void => {
    for (;;) {
      const task = tasks.shift();
      if (task !== undefined) task();
      else if (!move(wires[0] as Uint8Array[], acceptor) && !move(wires[1] as Uint8Array[], opener)) return;
    }
  };
  return { opener, acceptor, run };
}

describe('Mux', () => {
  it('carries the same bytes however the link slices them, and both half-closes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 3000 }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 700 }),
        (chunks, slice) => {
          const { opener, acceptor, run } = pair(slice);
          const got: number[] = [];
          const echoed: number[] = [];
          let closes = 0;
          acceptor.onStream((stream) => {
            stream.onData((bytes) => {
              got.push(...bytes);
              stream.write(bytes.slice());
            });
            stream.onEnd(() => {
              stream.end();
            });
            stream.onClose((fault) => {
              if (fault === undefined) closes += 1;
            });
          });
          const stream = opener.openStream();
          stream.onData((bytes) => echoed.push(...bytes));
          stream.onClose((fault) => {
            if (fault === undefined) closes += 1;
          });
          for (const chunk of chunks) stream.write(chunk);
          stream.end();
          run();
          const sent = chunks.flatMap((chunk) => [...chunk]);
          expect(got).toEqual(sent);
          expect(echoed).toEqual(sent);
          expect(closes).toBe(2);
          expect(opener.streamCount + acceptor.streamCount).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('sends at most one window to a paused reader, and everything once it resumes', () => {
    const { opener, acceptor, run } = pair();
    let server: TunnelStream | undefined;
    let received = 0;
    acceptor.onStream((stream) => {
      server = stream;
      stream.onData((bytes) => {
        received += bytes.length;
        stream.pause();
      });
    });
    const stream = opener.openStream();
    let drains = 0;
    stream.onDrain(() => (drains += 1));
    const total = 20 * WINDOW_BYTES;
    for (let sent = 0; sent < total; sent += 64 * 1024) stream.write(new Uint8Array(64 * 1024));
    run();
    expect(received).toBeLessThanOrEqual(WINDOW_BYTES);
    expect(stream.write(new Uint8Array(1))).toBe(false);
    for (let turns = 0; turns < 10_000 && received < total + 1; turns += 1) {
      server?.resume();
      run();
    }
    expect(received).toBe(total + 1);
    expect(drains).toBeGreaterThan(0);
  });

  it('a slow reader of one stream does not hold back another', () => {
    const { opener, acceptor, run } = pair();
    const got = new Map<number, number>();
    let index = 0;
    acceptor.onStream((stream) => {
      const mine = (index += 1);
      if (mine === 1) stream.pause();
      stream.onData((bytes) => got.set(mine, (got.get(mine) ?? 0) + bytes.length));
    });
    const slow = opener.openStream();
    const fast = opener.openStream();
    slow.write(new Uint8Array(4 * WINDOW_BYTES));
    fast.write(new Uint8Array(4 * WINDOW_BYTES));
    run();
    expect(got.get(1)).toBeUndefined();
    expect(got.get(2)).toBe(4 * WINDOW_BYTES);
  });

  it('tells every stream the fault when the tunnel is lost, once', () => {
    const { opener, run } = pair();
    const faults: (Fault | undefined)[] = [];
    opener.openStream().onClose((fault) => faults.push(fault));
    opener.openStream().onClose((fault) => faults.push(fault));
    run();
    opener.close({ code: 'unreachable', message: 'gone' });
    opener.close();
    expect(faults.map((fault) => fault?.message)).toEqual(['gone', 'gone']);
  });

  it('closes when the last stream is over, where it was asked to', () => {
    const { opener, acceptor, run } = pair();
    const bytes: number[] = [];
    let ended = false;
    acceptor.onStream((stream) => {
      stream.onData((part) => bytes.push(part.length));
      stream.onEnd(() => {
        stream.end();
      });
    });
    const stream = opener.openStream();
    stream.onEnd(() => (ended = true));
    opener.closeWhenIdle();
    stream.write(new Uint8Array(10));
    run();
    expect([opener.streamCount, acceptor.streamCount]).toEqual([1, 1]);
    stream.end();
    run();
    expect([bytes, ended, opener.streamCount, acceptor.streamCount]).toEqual([[10], true, 0, 0]);
    let fault: Fault | undefined;
    opener.openStream().onClose((given) => (fault = given));
    expect(fault?.message).toBe('the tunnel is closed');
  });

  it('carries a reset with its fault to the other side', () => {
    const { opener, acceptor, run } = pair();
    acceptor.onStream((stream) => {
      stream.destroy({ code: 'no_access', message: 'not yours' });
    });
    const stream = opener.openStream();
    let fault: Fault | undefined;
    stream.onClose((given) => (fault = given));
    run();
    expect(fault).toEqual({ code: 'no_access', message: 'not yours' });
  });

  it('closes on a peer that sends past its credit', () => {
    const { opener, acceptor, run } = pair();
    let fault: Fault | undefined;
    acceptor.onStream((stream) => {
      stream.pause();
      stream.onClose((given) => (fault = given));
    });
    opener.openStream();
    run();
    for (let count = 0; count < 3; count += 1) {
      acceptor.receive(encodeHeader(FRAME.data, 1, WINDOW_BYTES));
      acceptor.receive(new Uint8Array(WINDOW_BYTES));
    }
    expect(fault?.code).toBe('protocol');
  });
});

describe('TunnelFrameParser', () => {
  it('never throws on arbitrary bytes, and a fault is final', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 10 }), (chunks) => {
        const parser = new TunnelFrameParser({ onData: () => undefined, onControl: () => undefined });
        let fault: Fault | undefined;
        for (const chunk of chunks) {
          const now = parser.push(chunk);
          if (fault !== undefined) expect(now).toBe(fault);
          fault = now;
        }
      }),
    );
  });

  it('refuses a control frame of 65,537 B when the limit is 65,536 B', () => {
    const parser = new TunnelFrameParser({ onData: () => undefined, onControl: () => undefined });
    expect(parser.push(encodeHeader(FRAME.event, 0, 65_537))?.code).toBe('protocol');
  });
});
