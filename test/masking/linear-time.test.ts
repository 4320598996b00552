import { describe, expect, it } from 'vitest';
import { StreamScan } from '../../src/masking/streams/stream-scan.js';
import { streamPlanOf } from '../../src/masking/streams/stream-plan.js';
import { TextStream } from '../../src/masking/streams/text-stream.js';
import { counted, HOSTILE } from './hostile.js';
import { OWN_KINDS, SOME_NUMBERS, bytesOf, hash, maskerOf, ruleOf } from './support.js';

describe('work on hostile values', () => {
  const masker = maskerOf(OWN_KINDS);

  it.each(HOSTILE)('grows with the length alone for many %s', (unit) => {
    const work = (count: number): number => {
      const value = counted(bytesOf(unit.repeat(Math.ceil(count / unit.length)).slice(0, count)));
      masker.maskValue(value.bytes, 0, value.bytes.length, new Map());
      return value.reads();
    };
    const once = work(3_000);
    expect(once).toBeLessThan(3_000 * 400);
    expect(work(6_000)).toBeLessThan(once * 2.2 + 1_000);
  });

  it('a JSON text of many short strings is read a bounded number of times', () => {
    const work = (count: number): number => {
      const value = counted(bytesOf(`[${'"a@b.co",'.repeat(count)}1]`));
      masker.maskJson(value.bytes, 0, value.bytes.length, new Map());
      return value.reads();
    };
    expect(work(2_000)).toBeLessThan(work(1_000) * 2.2);
  });
});

describe('work on hostile texts in parts', () => {
  const plan = streamPlanOf({ rules: [ruleOf(OWN_KINDS)], hash });

  it.each(HOSTILE.flatMap((unit) => [1, 1_024].map((size) => [unit, size] as const)))(
    'grows with the length alone for many %s in parts of %i bytes',
    (unit, size) => {
      const work = (count: number): number => {
        const text = bytesOf(unit.repeat(Math.ceil(count / unit.length)).slice(0, count));
        const scan = new StreamScan(plan);
        // Large enough not to be replaced by one that does not count.
        const room = counted(new Uint8Array(64 * 1_024));
        scan.bytes = room.bytes as Uint8Array<ArrayBuffer>;
        for (let at = 0; at < text.length; at += size) {
          scan.append(text.subarray(at, at + size));
          scan.look(false);
          scan.found = [];
        }
        scan.look(true);
        return room.reads();
      };
      const once = work(3_000);
      expect(once).toBeLessThan(3_000 * 800);
      expect(work(6_000)).toBeLessThan(once * 2.2 + 4_000);
    },
  );

  it.each(HOSTILE)('holds less than 512 KiB of many %s', (unit) => {
    const text = bytesOf(unit.repeat(Math.ceil(65_536 / unit.length)));
    let released = 0;
    const stream = new TextStream(plan, new Map(), {
      kept: (_bytes, from, to) => (released += to - from),
      masked: () => undefined,
      restored: () => undefined,
    });
    for (let pushed = 0; pushed < 720_896; pushed += text.length) stream.push(text);
    expect(stream.roomBytes).toBeLessThanOrEqual(512 * 1_024);
    stream.end();
    expect(released).toBeLessThanOrEqual(720_896 + 65_536 * 2);
  });
});

describe('work on hostile numbers', () => {
  const UNITS = [
    '1',
    '12-',
    '1.1',
    '123 456 ',
    '12345678',
    'bsn ',
    'bsn 1',
    'bsn 123456789 ',
    'aa1',
    'AA99',
    '00:',
    'bc1q',
    '1/',
  ];

  it.each(UNITS)('grows with the length alone for many %s', (unit) => {
    const masker = maskerOf(SOME_NUMBERS);
    const work = (count: number): number => {
      const value = counted(bytesOf(unit.repeat(Math.ceil(count / unit.length)).slice(0, count)));
      masker.maskValue(value.bytes, 0, value.bytes.length, new Map());
      return value.reads();
    };
    const once = work(1_000);
    expect(once).toBeLessThan(1_000 * 1_000);
    expect(work(2_000)).toBeLessThan(once * 2.2 + 2_000);
  });
});
