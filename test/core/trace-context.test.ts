import { describe, expect, it } from 'vitest';
import { formatTraceparent, parseTraceparent } from '../../src/core/trace-context.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

describe('a traceparent', () => {
  it('is read and written as it is, sampled or not', () => {
    for (const flags of ['00', '01']) {
      const text = `00-${TRACE}-${SPAN}-${flags}`;
      const context = parseTraceparent(text);
      expect(context).toEqual({ traceId: TRACE, spanId: SPAN, sampled: flags === '01' });
      expect(context && formatTraceparent(context)).toBe(text);
    }
  });

  it('of a later version may go on behind its flags, one of version 00 may not', () => {
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-the-future-brings`)?.traceId).toBe(TRACE);
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-01-more`)).toBeUndefined();
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01.more`)).toBeUndefined();
  });

  it('with flags that nobody knows yet keeps the one that is known', () => {
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-ff`)?.sampled).toBe(true);
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-fe`)?.sampled).toBe(false);
  });

  it.each(['', 'x', `00-${TRACE}-${SPAN}`, `00-${TRACE}-${'0'.repeat(16)}-01`, `00-${'0'.repeat(32)}-${SPAN}-01`])(
    'is none: %j',
    (text) => {
      expect(parseTraceparent(text)).toBeUndefined();
    },
  );
});
