import { describe, expect, it } from 'vitest';
import { correlationFrom } from '../../src/client/correlation.js';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('correlationFrom', () => {
  it('takes the flag before HOOP_CORRELATION_ID, and that before the trace-id of TRACEPARENT', () => {
    const env = { HOOP_CORRELATION_ID: 'job-7', TRACEPARENT };
    expect(correlationFrom('mine', env)).toBe('mine');
    expect(correlationFrom(undefined, env)).toBe('job-7');
    expect(correlationFrom('', { TRACEPARENT, HOOP_CORRELATION_ID: '' })).toBe('0af7651916cd43dd8448eb211c80319c');
    expect(correlationFrom(undefined, {})).toBeUndefined();
  });

  it.each([
    ['a version ff', TRACEPARENT.replace(/^00/, 'ff')],
    ['a trace-id of zeros', TRACEPARENT.replace('0af7651916cd43dd8448eb211c80319c', '0'.repeat(32))],
    ['a parent-id of zeros', TRACEPARENT.replace('b7ad6b7169203331', '0'.repeat(16))],
    ['capital letters', TRACEPARENT.toUpperCase()],
    ['what follows without a hyphen', `${TRACEPARENT}00`],
  ])('takes nothing from a TRACEPARENT with %s', (_what, value) => {
    expect(correlationFrom(undefined, { TRACEPARENT: value })).toBeUndefined();
  });

  it('refuses 501 characters, since the agent would cut them', () => {
    expect(correlationFrom('x'.repeat(500), {})).toHaveLength(500);
    expect(() => correlationFrom('x'.repeat(501), {})).toThrow('up to 500 characters');
  });
});
