import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeHeader, FRAME } from '../../src/tunnel/frames.js';
import { HeldStreams } from '../../src/tunnel/held-streams.js';
import { Mux, type MuxOptions } from '../../src/tunnel/mux.js';
import { parseCounts, parseResumeRequest } from '../../src/tunnel/resume-payload.js';

/** Numbers and texts where a peer would look for a hole: streams that are, were or never will be. */
const ids = fc.oneof(fc.nat({ max: 6 }), fc.constantFrom(0, 0x7fff_ffff, 0xffff_ffff));
const counts = fc.oneof(fc.nat({ max: 300_000 }), fc.constantFrom(-1, 1e300, 0.5, 2 ** 53, NaN));
const json = fc.oneof(
  fc.record({ token: fc.string(), received: counts, credited: counts, ended: fc.boolean() }, { requiredKeys: [] }),
  fc.record({ code: fc.string(), message: fc.string() }, { requiredKeys: [] }),
  fc.record({ event: fc.string(), __proto__: fc.string() }, { requiredKeys: [] }),
  fc.jsonValue(),
);
const payload = fc.oneof(
  json.map((value) => Buffer.from(JSON.stringify(value) ?? '')),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(Buffer.from([0xff, 0xff, 0xff, 0xff]), Buffer.alloc(0), Buffer.alloc(9_000)),
);
const frame = fc
  .tuple(fc.constantFrom(...Object.values(FRAME)), ids, payload)
  .map(([type, id, bytes]) => Buffer.concat([encodeHeader(type, id, bytes.length), bytes]));

function mux(role: MuxOptions['role'], resumption: MuxOptions['resumption']): { mux: Mux; turn: () => void } {
  const tasks: (() => void)[] = [];
  const made = new Mux({
    role,
    resumption,
    maxStreams: 4,
    schedule: (task) => tasks.push(task),
    link: { send: (_bytes, done) => done?.(), bufferedBytes: () => 0, close: () => undefined },
  });
  return {
    mux: made,
    turn: () => {
      for (const task of tasks.splice(0)) task();
    },
  };
}

const RUNS = Number(process.env['HOOP_FUZZ_RUNS'] ?? 300);

describe('a tunnel whose other end says what it likes', () => {
  it('throws nothing at the agent, holds no more streams than it may, and hands on only text and bytes', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 40 }), fc.array(fc.nat({ max: 5 })), (frames, acts) => {
        const held = new HeldStreams(1_000_000);
        const agent = mux('acceptor', held.of('ann'));
        const token = { theirs: held.of('eve') };
        let at = 0;
        agent.mux.onStream((stream) => {
          const act = acts[at++ % Math.max(1, acts.length)];
          stream.onData((bytes) => expect(bytes).toBeInstanceOf(Uint8Array));
          if (act === 0) stream.pause();
          if (act === 1) stream.hold();
          if (act === 2) stream.write(new Uint8Array(70_000));
          if (act === 3) stream.end();
          if (act === 4) {
            stream.hold();
            stream.release(() => undefined);
          }
        });
        for (const bytes of frames) {
          agent.mux.receive(bytes);
          agent.turn();
          expect(agent.mux.streamCount).toBeLessThanOrEqual(4);
        }
        agent.mux.lost({ code: 'unreachable', message: 'gone' });
        expect(token.theirs.find('')).toBeUndefined();
        held.close();
        expect(held.size).toBe(0);
      }),
      { numRuns: RUNS },
    );
  });

  it('throws nothing at the laptop, which never takes a stream from the agent', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 40 }), (frames) => {
        const cli = mux('opener', true);
        let taken = 0;
        cli.mux.onStream(() => (taken += 1));
        cli.mux.onDetached((stream) => {
          stream.lost({ code: 'unreachable', message: 'gone' });
        });
        const streams = [cli.mux.openStream(), cli.mux.openStream()];
        for (const stream of streams) stream.onData((bytes) => expect(bytes).toBeInstanceOf(Uint8Array));
        streams[0]?.write(new Uint8Array(300_000));
        for (const bytes of frames) {
          cli.mux.receive(bytes);
          cli.turn();
        }
        cli.mux.lost({ code: 'unreachable', message: 'gone' });
        expect(taken).toBe(0);
      }),
      { numRuns: RUNS },
    );
  });

  it('resumes by counts and a text alone, whatever else the payload holds', () => {
    fc.assert(
      fc.property(payload, (bytes) => {
        const request = parseResumeRequest(bytes);
        const parsed = parseCounts(bytes);
        if (request !== undefined) expect(typeof request.token).toBe('string');
        for (const count of [parsed?.received ?? 0, parsed?.credited ?? 0])
          expect(Number.isSafeInteger(count) && count >= 0).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });
});
