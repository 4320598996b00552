import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFault } from '../../../../src/core/errors.js';
import { FrameParser, type Frame } from '../../../../src/protocols/postgres/wire/frames.js';
import { bind, execute, message, parse, query, sync } from '../wire.js';

const LIMIT = 64;

function framesOf(
  chunks: readonly Uint8Array[],
  limit = 1 << 20,
): { frames: string[]; fault: string | undefined; held: number } {
  const parser = new FrameParser({ maxFrameBytes: () => limit });
  const frames: string[] = [];
  let fault: string | undefined;
  for (const chunk of chunks) {
    parser.push(chunk);
    for (;;) {
      const next = parser.next();
      if (next === undefined) break;
      if (isFault(next)) {
        fault = next.message;
        break;
      }
      frames.push(
        `${String.fromCharCode(next.type)}${next.oversizeBytes === undefined ? '' : `!${String(next.oversizeBytes)}`}:${Buffer.from(next.bytes).toString('hex')}`,
      );
    }
  }
  return { frames, fault, held: parser.heldBytes };
}

const fixtures: Record<string, Buffer> = {
  'a query': query('select 1'),
  'an extended run': Buffer.concat([parse('s', 'select $1'), bind('', 's', ['x', null]), execute(''), sync()]),
  'an empty body': sync(),
};

describe('FrameParser', () => {
  for (const [name, bytes] of Object.entries(fixtures)) {
    it(`reads ${name} whole, byte by byte, and with trailing bytes alike`, () => {
      const whole = framesOf([bytes]);
      expect(whole.fault).toBeUndefined();
      expect(framesOf([...bytes].map((byte) => Uint8Array.of(byte))).frames).toEqual(whole.frames);
      const trailing = framesOf([Buffer.concat([bytes, Buffer.from('Q\0\0')])]);
      expect(trailing.frames).toEqual(whole.frames);
      expect(trailing.held).toBe(3);
    });

    it(`reads ${name} the same at random cuts`, () => {
      const whole = framesOf([bytes]).frames;
      fc.assert(
        fc.property(fc.array(fc.nat(bytes.length), { maxLength: 8 }), (cuts) => {
          const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
          const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
          expect(framesOf(chunks).frames).toEqual(whole);
        }),
      );
    });
  }

  it('throws away the body of a 65 B message when the limit is 64 B, says its size, and reads on', () => {
    const big = message('Q', Buffer.alloc(60, 0x61));
    expect(big).toHaveLength(65);
    for (const chunks of [
      [Buffer.concat([big, sync()])],
      [...Buffer.concat([big, sync()])].map((byte) => Uint8Array.of(byte)),
    ]) {
      const { frames, fault } = framesOf(chunks, LIMIT);
      expect(fault).toBeUndefined();
      expect(frames).toEqual([expect.stringMatching(/^Q!65:/), expect.stringMatching(/^S:/)]);
    }
    expect(framesOf([message('Q', Buffer.alloc(59, 0x61))], LIMIT).frames[0]).toMatch(/^Q:/);
  });

  it.each([0, 1, 3])('refuses a length of %i, for good', (length) => {
    const bytes = Buffer.from([0x51, 0, 0, 0, length]);
    const parser = new FrameParser({ maxFrameBytes: () => LIMIT });
    parser.push(bytes);
    const fault = parser.next();
    expect(isFault(fault)).toBe(true);
    parser.push(sync());
    expect(parser.next()).toBe(fault);
  });

  it('never throws on arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), (chunks) => {
        const parser = new FrameParser({ maxFrameBytes: () => 200 });
        for (const chunk of chunks) {
          parser.push(chunk);
          for (
            let frame: Frame | ReturnType<FrameParser['next']> = parser.next(), turns = 0;
            frame !== undefined && turns < 50 && !isFault(frame);
            turns += 1
          )
            frame = parser.next();
        }
      }),
    );
  });
});
