import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PostgresBoundary } from '../../../src/client/ports/postgres-boundary.js';

function message(type: string, bodyBytes: number): Uint8Array {
  const bytes = new Uint8Array(5 + bodyBytes).fill(0x4e);
  bytes[0] = type.charCodeAt(0);
  new DataView(bytes.buffer).setInt32(1, bodyBytes + 4);
  return bytes;
}

const join = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));

describe('PostgresBoundary', () => {
  it('is at a boundary before the first byte and after single-byte answers to SSLRequest and GSSENCRequest', () => {
    const boundary = new PostgresBoundary();
    expect(boundary.atBoundary).toBe(true);
    boundary.push(new TextEncoder().encode('N'));
    boundary.push(new TextEncoder().encode('N'));
    expect(boundary.atBoundary).toBe(true);
  });

  it('takes N for a notice once a message has begun', () => {
    const boundary = new PostgresBoundary();
    boundary.push(message('R', 4));
    boundary.push(new TextEncoder().encode('N'));
    expect(boundary.atBoundary).toBe(false);
  });

  it('is at a boundary exactly after each whole message, byte by byte', () => {
    const bytes = join(message('R', 4), message('Z', 1), message('D', 0), message('N', 12));
    const ends = new Set([9, 15, 20, 37]);
    const boundary = new PostgresBoundary();
    bytes.forEach((byte, index) => {
      boundary.push(Uint8Array.of(byte));
      expect(boundary.atBoundary, `after byte ${String(index + 1)}`).toBe(ends.has(index + 1));
    });
  });

  it('agrees with itself however the same bytes are cut', () => {
    const messages = fc.array(fc.tuple(fc.constantFrom('R', 'D', 'N', 'S', 'C'), fc.nat(300)), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(messages, fc.array(fc.nat(2_000), { maxLength: 8 }), fc.nat(40), (list, cuts, dropped) => {
        const whole = join(message('R', 4), ...list.map(([type, size]) => message(type, size)));
        const bytes = whole.subarray(0, Math.max(0, whole.length - dropped));
        const once = new PostgresBoundary();
        once.push(bytes);
        const sliced = new PostgresBoundary();
        const at = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        for (let index = 1; index < at.length; index += 1) sliced.push(bytes.subarray(at[index - 1], at[index]));
        expect(sliced.atBoundary).toBe(once.atBoundary);
        if (dropped === 0) expect(once.atBoundary).toBe(true);
      }),
    );
  });

  it('is never again at a boundary after a length of 3', () => {
    const boundary = new PostgresBoundary();
    boundary.push(Uint8Array.of(0x52, 0, 0, 0, 3));
    boundary.push(message('Z', 1));
    expect(boundary.atBoundary).toBe(false);
  });
});
