import { describe, expect, it } from 'vitest';
import { BoundValues } from '../../../../src/protocols/postgres/statements/bound-values.js';

const encoder = new TextEncoder();

function bound(values: readonly (Uint8Array | null)[], formats: readonly number[], types: readonly number[] = []) {
  return new BoundValues({ portal: '', statement: '', formats, values, resultFormats: [] }, types, 1_000);
}

describe('BoundValues', () => {
  it('spells text as it stands, an int4 and a bool in binary by their type, and other binary as hex digits', () => {
    const values = [encoder.encode('né'), Uint8Array.from([255, 255, 255, 254]), Uint8Array.from([1]), null];
    expect(bound(values, [0, 1, 1, 1], [25, 23, 16, 17]).texts()).toEqual(['né', '-2', 't', null]);
    expect(bound([Uint8Array.from([0, 10, 255])], [1], [17]).texts()).toEqual(['\\x000aff']);
  });

  it('refuses to read 1,001 B where 1,000 B is the limit, over all values, and still gives their starts', () => {
    const values = bound([new Uint8Array(500).fill(97), new Uint8Array(501).fill(98)], [0]);
    expect(() => values.texts()).toThrow(RangeError);
    expect(() => values.typed()).toThrow(RangeError);
    expect(values.starts(3)).toEqual(['aaa', 'bbb']);
    expect(bound([new Uint8Array(1_000).fill(97)], [0]).texts()).toEqual(['a'.repeat(1_000)]);
  });

  it('gives as starts what the whole text starts with: signs of one to four bytes, a byte order mark, broken bytes, hex', () => {
    const texts = ['a'.repeat(40), 'é€𝄞'.repeat(12), '\uFEFF€€€€€€€€€€', '€'.repeat(9)];
    const values = [...texts.map((text) => encoder.encode(text)), Uint8Array.from({ length: 60 }, (_, at) => 200 + at)];
    for (const format of [0, 1])
      for (let length = 0; length < 20; length += 1)
        expect(bound(values, [format]).starts(length)).toEqual(
          bound(values, [format])
            .texts()
            .map((text) => text?.slice(0, length)),
        );
  });

  it('forgets the values once it is released', () => {
    const values = bound([encoder.encode('a')], [0]);
    values.release();
    expect(values.texts()).toEqual([]);
    expect(values.starts(5)).toEqual([]);
  });

  it('makes the start of a value of 64 MiB without spelling the rest: below 5 MiB of memory', () => {
    const values = bound([Buffer.alloc(64 << 20, 7)], [1], [17]);
    const before = process.memoryUsage();
    expect(values.starts(1_024)[0]).toBe(`\\x${'07'.repeat(511)}`);
    const after = process.memoryUsage();
    expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(5 << 20);
  });
});
