import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../../src/core/bytes.js';
import { EventStreamReader } from '../../../../src/protocols/http/answers/event-stream-reader.js';
import type { ServerEvent } from '../../../../src/protocols/http/answers/event-stream-reader.js';
import { bytesOf, textOf } from '../../../masking/support.js';

function read(parts: readonly Uint8Array[], maxEventBytes = 1000): ServerEvent[] {
  const reader = new EventStreamReader(maxEventBytes);
  return [...parts.flatMap((part) => reader.push(part)), ...reader.end()];
}

const told = (events: readonly ServerEvent[]): [string, string][] =>
  events.flatMap(({ name, data }) => (data === undefined ? [] : [[name, data]]));

describe('the reader of event streams', () => {
  it.each([
    ['LF', 'event: a\ndata: 1\n\ndata: 2\n\n'],
    ['CRLF', 'event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n'],
    ['CR', 'event: a\rdata: 1\r\rdata: 2\r\r'],
    ['no last blank line', 'event: a\ndata: 1\n\ndata: 2\n'],
    ['no last line end', 'event: a\ndata:1\n\ndata:2'],
    [
      'a byte order mark, comments, ids and unknown fields',
      '\ufeff: hi\n\nid: 7\nretry: 10\nevent: a\nwhat\ndata: 1\n\ndata: 2\n\n',
    ],
  ])('finds two events with %s', (_, text) => {
    expect(told(read([bytesOf(text)]))).toEqual([
      ['a', '1'],
      ['', '2'],
    ]);
  });

  it('joins lines of data by LF and takes one space off each, no more', () => {
    expect(told(read([bytesOf('data: a\ndata:  b\ndata\ndata:c\n\n')]))).toEqual([['', 'a\n b\n\nc']]);
  });

  it('gives the same events and all bytes back, whatever the bytes and cuts', () => {
    const line = fc.constantFrom('data: x', 'data:', ':', 'event: é', '', '\ufeff', 'id', 'data: 😀');
    const end = fc.constantFrom('\n', '\r', '\r\n');
    const stream = fc.array(fc.tuple(line, end)).map((lines) => bytesOf(lines.flat().join('')));
    fc.assert(
      fc.property(stream, fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (bytes, sizes) => {
        const parts: Uint8Array[] = [];
        for (let at = 0; at < bytes.length; at += parts.at(-1)?.length ?? 0)
          parts.push(bytes.subarray(at, at + (sizes.next().value as number)));
        const events = read(parts);
        expect(textOf(concatBytes(events.map(({ raw }) => raw)))).toBe(textOf(bytes));
        expect(told(events)).toEqual(told(read([bytes])));
      }),
    );
  });

  it('takes an event of 20 bytes and refuses one of 21 when the limit is 20, in any parts', () => {
    const event = bytesOf(`data: ${'x'.repeat(12)}\n\n`);
    expect(told(read([event, event], 20))).toHaveLength(2);
    const larger = bytesOf(`data: ${'x'.repeat(13)}\n\n`);
    const single = Array.from(larger, (_, index) => larger.subarray(index, index + 1));
    for (const parts of [[larger], single])
      expect(() => read(parts, 20)).toThrow(expect.objectContaining({ code: 'protocol' }));
  });

  it('refuses an event of more than 65,536 lines, whose parts would take a hundred times their bytes', () => {
    const lines = (count: number): Uint8Array => bytesOf(`${'a\n'.repeat(count)}\n`);
    expect(read([lines(65_535)], 1 << 20)).toHaveLength(1);
    expect(() => read([lines(65_536)], 1 << 20)).toThrow(expect.objectContaining({ code: 'protocol' }));
  });
});
