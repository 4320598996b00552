import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../src/core/events.js';
import { anyLine, lineParts } from '../../src/recording/line-parts.js';

const text = fc.string({ unit: 'binary' });
const count = fc.nat();
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
const cell = fc.option(text);

const events: readonly fc.Arbitrary<object>[] = [
  fc.record({
    type: fc.constant('statement'),
    statement: count,
    text,
    via: text,
    params: maybe(fc.array(cell)),
    facts: maybe(fc.dictionary(text, fc.jsonValue())),
    textBytes: maybe(count),
  }),
  fc.record({
    type: fc.constant('decision'),
    statement: count,
    action: text,
    rules: fc.array(text),
    message: maybe(text),
    policyHash: text,
    observed: maybe(fc.array(fc.record({ rule: text, action: text }))),
  }),
  fc.record({
    type: fc.constant('output'),
    statement: count,
    columns: maybe(fc.array(text)),
    rows: fc.array(fc.array(cell)),
    totalRows: count,
  }),
  fc.record({
    type: fc.constant('result'),
    statement: count,
    tag: maybe(text),
    rows: maybe(count),
    bytes: maybe(count),
    masked: maybe(fc.dictionary(text, count)),
    durationMs: maybe(fc.double({ noDefaultInfinity: true, noNaN: true })),
    error: maybe(fc.record({ code: text, message: text })),
    status: maybe(count),
    firstByteMs: maybe(fc.double({ noDefaultInfinity: true, noNaN: true })),
    usage: maybe(fc.record({ inputTokens: count, outputTokens: count })),
    costUsd: maybe(fc.double({ noDefaultInfinity: true, noNaN: true })),
    toolCalls: maybe(fc.array(text)),
    notInspected: maybe(text),
  }),
  fc.record({
    type: fc.constant('request'),
    statement: count,
    method: text,
    path: text,
    text,
    body: maybe(text),
    bodyBytes: maybe(count),
    contentType: maybe(text),
    endpoint: maybe(text),
    model: maybe(text),
    stream: maybe(fc.boolean()),
    facts: maybe(fc.dictionary(text, fc.jsonValue())),
  }),
  fc.record({
    type: fc.constant('output'),
    statement: count,
    body: text,
    bodyBytes: count,
    contentType: maybe(text),
    text: maybe(fc.array(text)),
    from: maybe(text),
  }),
  fc.record({
    type: fc.constant('session.start'),
    session: text,
    user: fc.dictionary(text, fc.jsonValue()),
    connection: fc.dictionary(text, fc.jsonValue()),
    credential: text,
    client: fc.dictionary(text, fc.jsonValue()),
    correlationId: maybe(text),
  }),
  fc.record({ type: fc.constant('session.end'), reason: text, statements: count, blocked: count }),
  fc.record({ type: fc.constant('seal'), keyId: text, signature: text }),
];

describe('the lines of the kinds that make up a recording', () => {
  it('are the same with their names sorted once as by their names alone', () => {
    const link = { seq: 7, at: '2026-11-21T04:30:44.123456Z', prev: 'ab'.repeat(32) };
    fc.assert(
      fc.property(fc.oneof(...events), (event) => {
        const recorded = event as RecordedEvent;
        expect(lineParts(recorded, link)).toEqual(anyLine(recorded, link));
        // Facts and columns are remembered: the second time must say the same.
        expect(lineParts(recorded, link)).toEqual(anyLine(recorded, link));
      }),
      { numRuns: 1000 },
    );
  });
});
