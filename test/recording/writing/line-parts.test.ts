import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../../src/core/canonical-json.js';
import type { ChainedEvent, RecordedEvent } from '../../../src/core/events.js';
import { rechainEvent } from '../../../src/recording/chain.js';
import { lineParts } from '../../../src/recording/writing/line-parts.js';

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
    user: fc.record({
      subject: text,
      email: text,
      groups: fc.array(text),
      issuer: text,
      machine: fc.boolean(),
      attributes: fc.dictionary(text, fc.jsonValue()),
    }),
    connection: fc.record({ name: text, type: text, labels: fc.dictionary(text, text) }),
    credential: text,
    client: fc.record({ application: text, address: text }),
    correlationId: maybe(text),
  }),
  fc.record({
    type: fc.constant('approval.requested'),
    statement: count,
    request: text,
    flow: text,
    reason: maybe(text),
    durationMs: maybe(count),
  }),
  fc.record({
    type: fc.constant('approval.voted'),
    statement: count,
    request: text,
    by: text,
    durationMs: maybe(count),
  }),
  fc.record({
    type: fc.constantFrom('approval.reviewed'),
    statement: count,
    request: text,
    session: maybe(text),
    verdict: text,
    by: text,
    reason: maybe(text),
  }),
  fc.record({
    type: fc.constant('grant.given'),
    statement: count,
    request: text,
    grant: text,
    scope: text,
    expiresAt: text,
  }),
  fc.record({
    type: fc.constant('grant.ended'),
    statement: count,
    request: text,
    grant: text,
    session: maybe(text),
    state: text,
    by: maybe(text),
    reason: maybe(text),
  }),
  fc.record({
    type: fc.constant('approval.resolved'),
    statement: count,
    request: text,
    outcome: text,
    by: maybe(text),
    reason: maybe(text),
  }),
  fc.record({ type: fc.constant('session.end'), reason: text, statements: count, blocked: count }),
  fc.record({ type: fc.constant('seal'), keyId: text, signature: text }),
];

const link = { seq: 7, at: '2026-11-21T04:30:44.123456Z', prev: 'ab'.repeat(32) };

/** The line with the hash put in, as a verifier makes it of the event read back. */
function wholeLine(event: RecordedEvent): { readonly written: string; readonly read: string } {
  const { head, tail } = lineParts(event, link);
  const hash = createHash('sha256').update(`${head}${tail}}`).digest('hex');
  const written = `${head},"hash":"${hash}"${tail}}`;
  return { written, read: rechainEvent(JSON.parse(written) as ChainedEvent).text };
}

describe('the lines of a recording', () => {
  it('are canonical, and hold every member that is named', () => {
    fc.assert(
      fc.property(fc.oneof(...events), (event) => {
        const recorded = event as RecordedEvent;
        const { written, read } = wholeLine(recorded);
        expect(written).toBe(read);
        const { hash: _hash, ...members } = JSON.parse(written) as ChainedEvent;
        // A lone surrogate has no form in UTF-8; JSON's own is compared.
        expect(canonicalJson(members)).toBe(canonicalJson(JSON.parse(JSON.stringify({ ...recorded, ...link }))));
        // Facts and columns are remembered: the second time must say the same.
        expect(wholeLine(recorded).written).toBe(written);
      }),
      { numRuns: 1000 },
    );
  });

  it('hold nothing of an event, of its user, client, connection, error or usage that is not named', () => {
    const secret = 'planted-9f3c';
    const unnamed = [
      { type: 'statement', statement: 1, text: 'select 1', via: 'query', token: secret },
      {
        type: 'session.start',
        session: 'x',
        user: { subject: 'ann', accessToken: secret },
        connection: { name: 'pg', password: secret },
        credential: 'app',
        client: { address: '::1', authorization: secret },
      },
      {
        type: 'result',
        statement: 1,
        error: { code: '1', message: 'm', detail: secret },
        usage: { inputTokens: 1, key: secret },
        headers: { authorization: secret },
      },
      { type: 'approval.resolved', statement: 1, request: 'r', outcome: 'approved', token: secret },
      { type: 'output', statement: 1, rows: [], totalRows: 0, raw: secret },
    ];
    for (const event of unnamed) expect(wholeLine(event as unknown as RecordedEvent).written).not.toContain(secret);
    expect(wholeLine(unnamed[1] as unknown as RecordedEvent).written).toContain('"subject":"ann"');
  });

  it('are refused for an event of a kind that has no members named', () => {
    expect(() => lineParts({ type: 'surprise', secret: 'x' } as unknown as RecordedEvent, link)).toThrow(TypeError);
  });
});
