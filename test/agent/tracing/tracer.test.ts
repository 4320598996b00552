import { describe, expect, it } from 'vitest';
import type { Span } from '../../../src/core/span.js';
import { Tracer } from '../../../src/agent/tracing/tracer.js';

const CALLER = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };

function tracer(ratio: number) {
  const told: Span[] = [];
  const one = new Tracer({
    clock: { nowMs: () => 1_764_000_000_000 },
    monotonicMs: () => 500,
    ratio,
    export: (span) => told.push(span),
  });
  return { one, told };
}

describe('what is traced', () => {
  it('is what its caller traces, whatever the ratio, and never what its caller does not', () => {
    for (const ratio of [0, 0.5, 1]) {
      const { one } = tracer(ratio);
      expect(one.begin({ ...CALLER, sampled: true })?.traceId).toBe(CALLER.traceId);
      expect(one.begin({ ...CALLER, sampled: false })).toBeUndefined();
      expect(one.wants({ ...CALLER, sampled: false })).toBe(false);
    }
  });

  it('is of the rest all at ratio 1, none at 0, and about a half at 0.5, each a trace of its own', () => {
    const begun = (ratio: number): (string | undefined)[] => {
      const { one } = tracer(ratio);
      return Array.from({ length: 1_000 }, () => one.begin(undefined)?.traceId);
    };
    expect(new Set(begun(1).map((id) => id ?? 'none')).size).toBe(1_000);
    expect(new Set(begun(0))).toEqual(new Set([undefined]));
    const half = begun(0.5).filter((id) => id !== undefined).length;
    expect(half).toBeGreaterThan(400);
    expect(half).toBeLessThan(600);
  });

  it('is told with the time of day at which it began', () => {
    const { one, told } = tracer(1);
    const context = { ...CALLER, sampled: true };
    one.child(context, { name: 'hoop.decide', fromMs: 490, toMs: 495.5, attributes: {} });
    expect(told[0]).toMatchObject({
      traceId: CALLER.traceId,
      parentId: CALLER.spanId,
      startMs: 1_763_999_999_990,
      endMs: 1_763_999_999_995.5,
    });
  });
});
