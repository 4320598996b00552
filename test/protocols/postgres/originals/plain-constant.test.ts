import { describe, expect, it } from 'vitest';
import { plainConstant } from '../../../../src/protocols/postgres/originals/plain-constant.js';

const at = (text: string, location: number): ReturnType<typeof plainConstant> =>
  plainConstant(new TextEncoder().encode(text), location);

describe('a constant read without a parser', () => {
  it('is a string with doubled quotes or a number in digits, to its end', () => {
    expect(at("x = 'a''b' and", 4)).toEqual({ value: "a'b", end: 10 });
    expect(at("x = '' and", 4)).toEqual({ value: '', end: 6 });
    expect(at('x = -12.5, 3', 4)).toEqual({ value: '-12.5', end: 9 });
    expect(at("('a'/* ' */, 'b')", 1)).toEqual({ value: 'a', end: 4 });
  });

  it.each([
    ["x = E'a'", 4],
    ["x = U&'a'", 4],
    ['x = $$a$$', 4],
    ["x = 'a\\'", 4],
    ["x = 'a'\n'b'", 4],
    ["x = 'a' -- c\n 'b'", 4],
    [`x = 'a'${' '.repeat(2_000)}\n'b'`, 4],
    ["x = 'a", 4],
    ['x = 1e5', 4],
    ['x = 0x1f', 4],
    ['x', 4],
  ])('is none in %j', (text, location) => {
    expect(at(text, location)).toBeUndefined();
  });
});
