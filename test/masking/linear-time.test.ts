import { describe, expect, it } from 'vitest';
import { BUILT_IN_ENTITY_NAMES } from '../../src/masking/text-masker.js';
import { bytesOf, maskerOf } from './support.js';

/** The same bytes, counting how often one is read. */
function counted(bytes: Uint8Array): { readonly bytes: Uint8Array; readonly reads: () => number } {
  let reads = 0;
  const proxy = new Proxy(bytes, {
    get(target, key) {
      if (typeof key === 'string' && key.charCodeAt(0) <= 0x39) {
        reads += 1;
        return target[Number(key)];
      }
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return { bytes: proxy, reads: () => reads };
}

const HOSTILE = [
  '@',
  'a@',
  'a.a.a.a@',
  'a@b.co@',
  '"@',
  '"a"@b.co',
  '1-',
  '1',
  '4111',
  '4111 ',
  '4-1 ',
  '123-45-6789-',
  '+1',
  '+1 ',
  '(415) ',
  '415-555-',
  'DE89',
  'DE89 3704 ',
  '1.',
  '1.2.3.4.',
  ':',
  '::1',
  '1:',
  'eyJ',
  'eyJ-',
  '-eyJ',
  'eyJaaaaaaaaaa.',
  '.eyJaaaaaaaaaa',
  '-----BEGIN ',
  '-----BEGIN PRIVATE KEY-----',
  '-----END ',
  '-----BEGIN EC PRIVATE KEY-----x-----END ',
  'sk-',
  'sk-a-',
  'ghp_',
  'AKIA',
  'xoxb-',
  'AIza-',
  'x://u:p@',
  'x://u:p',
  '://',
  ':@',
  '\\u0040',
  'é@',
  ' ',
  'a',
];

describe('work on hostile values', () => {
  const masker = maskerOf(BUILT_IN_ENTITY_NAMES);

  it.each(HOSTILE)('grows with the length alone for many %s', (unit) => {
    const work = (count: number): number => {
      const value = counted(bytesOf(unit.repeat(Math.ceil(count / unit.length)).slice(0, count)));
      masker.maskValue(value.bytes, 0, value.bytes.length, new Map());
      return value.reads();
    };
    const once = work(5_000);
    expect(once).toBeLessThan(5_000 * 400);
    expect(work(10_000)).toBeLessThan(once * 2.2 + 1_000);
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
