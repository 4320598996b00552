import { describe, expect, it } from 'vitest';
import { copyBytes } from '../../src/core/copy-bytes.js';
import { ResultShapes } from '../../src/protocols/postgres/results/result-shapes.js';
import { splitLines } from '../../src/recording/reading/lines.js';
import { i32, message, cstring, u16 } from '../protocols/postgres/wire.js';

const described = (name: string): Buffer =>
  message('T', Buffer.concat([u16(1), cstring(name), i32(0), u16(0), i32(25), u16(65535), i32(-1), u16(0)]));

describe('a copy of bytes', () => {
  it('shares no memory, of a Buffer either', () => {
    for (const bytes of [Buffer.from('abc'), Uint8Array.of(97, 98, 99)]) {
      const copy = copyBytes(bytes);
      bytes.fill(0);
      expect(new TextDecoder().decode(copy)).toBe('abc');
    }
  });

  it('is what is remembered of a description: its Buffer may be filled anew', () => {
    const shapes = new ResultShapes();
    const first = described('a');
    const known = shapes.columns(first);
    const other = described('b');
    expect(other).toHaveLength(first.length);
    first.set(other);
    expect(shapes.columns(other)?.[0]?.name).toBe('b');
    expect(known?.[0]?.name).toBe('a');
  });

  it('is what is held of a line whose end has not come: its reader may fill the Buffer anew', async () => {
    const chunk = Buffer.from('ab');
    const chunks = (async function* (): AsyncGenerator<Uint8Array> {
      await Promise.resolve();
      yield chunk;
      chunk.write('c\n');
      yield chunk;
    })();
    const lines: string[] = [];
    for await (const some of splitLines(chunks, 100))
      lines.push(...some.map(({ bytes }) => Buffer.from(bytes).toString()));
    expect(lines).toEqual(['abc']);
  });
});
