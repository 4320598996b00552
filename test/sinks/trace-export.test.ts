import { afterEach, describe, expect, it } from 'vitest';
import type { Span } from '../../src/core/span.js';
import { TraceExport } from '../../src/sinks/trace-export.js';
import { startReceiver } from './events.js';
import { until } from '../support/until.js';

const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

const span = (spanId: string, more: Partial<Span> = {}): Span => ({
  traceId: 'a'.repeat(32),
  spanId,
  parentId: '',
  name: 'hoop.decide',
  kind: 'internal',
  startMs: 1_764_000_000_000.25,
  endMs: 1_764_000_000_001.5,
  attributes: { 'hoop.action': 'allow', 'hoop.rules': ['p/r'], 'hoop.rows': 3 },
  failed: false,
  ...more,
});

async function exporting(url?: string) {
  const receiver = await startReceiver();
  const warnings: string[] = [];
  const settings = {
    url: url ?? receiver.url,
    headers: { authorization: { env: 'KEY', prefix: 'Bearer ' } },
    ratio: 1,
  };
  const out = new TraceExport(settings, '1.2.3', {
    nowMs: () => 0,
    reveal: (reference) => Promise.resolve(`Bearer of ${'env' in reference ? reference.env : ''}`),
    warn: (message) => warnings.push(message),
  });
  ending.push(async () => {
    await out.close(0);
    await receiver.close();
  });
  return { ...receiver, out, warnings };
}

describe('spans on their way to a collector', () => {
  it('go as OTLP in JSON to /v1/traces, with times in nanoseconds, and with the headers of the resource', async () => {
    const { out, received } = await exporting();
    out.push(span('b'.repeat(16), { parentId: 'c'.repeat(16), kind: 'client', failed: true }));
    const [first] = await until('the spans', () => received.length > 0 && received);
    expect(first?.path).toBe('/v1/traces');
    expect(first?.headers).toMatchObject({ 'content-type': 'application/json', authorization: 'Bearer of KEY' });
    expect(JSON.parse(first?.body ?? '')).toEqual({
      resourceSpans: [
        {
          resource: {
            attributes: [
              { key: 'service.name', value: { stringValue: 'hoop' } },
              { key: 'service.version', value: { stringValue: '1.2.3' } },
            ],
          },
          scopeSpans: [
            {
              scope: { name: 'hoop', version: '1.2.3' },
              spans: [
                {
                  traceId: 'a'.repeat(32),
                  spanId: 'b'.repeat(16),
                  parentSpanId: 'c'.repeat(16),
                  name: 'hoop.decide',
                  kind: 3,
                  startTimeUnixNano: '1764000000000250000',
                  endTimeUnixNano: '1764000000001500000',
                  attributes: [
                    { key: 'hoop.action', value: { stringValue: 'allow' } },
                    { key: 'hoop.rules', value: { arrayValue: { values: [{ stringValue: 'p/r' }] } } },
                    { key: 'hoop.rows', value: { intValue: '3' } },
                  ],
                  status: { code: 2 },
                },
              ],
            },
          ],
        },
      ],
    });
    await until('the count', () => out.figures.exported === 1);
  });

  it('come again after a 503, which is said once, and are counted where a part is not taken', async () => {
    const { out, received, state, warnings } = await exporting();
    state.status = 503;
    out.push(span('1'.repeat(16)));
    await until('the first attempt', () => received.length > 0);
    state.status = 200;
    state.answer = '{"partialSuccess":{"rejectedSpans":"1"}}';
    out.push(span('2'.repeat(16)));
    await until('the second', () => out.figures.exported + out.figures.dropped === 2);
    expect(out.figures).toEqual({ exported: 1, dropped: 1 });
    expect(warnings).toEqual(['traces are not taken: answered with status 503', 'traces are taken again']);
  });

  it('are dropped and counted where the collector will never take them', async () => {
    const { out, state } = await exporting();
    state.status = 400;
    out.push(span('1'.repeat(16)));
    await until('the answer', () => out.figures.dropped === 1);
  });

  it('are at most 8,192 that wait: more cost no memory', async () => {
    const { out } = await exporting('http://127.0.0.1:1');
    for (let index = 0; index < 9_000; index += 1) out.push(span(String(index)));
    await out.close(50);
    const { exported, dropped } = out.figures;
    expect(exported).toBe(0);
    expect(dropped).toBe(9_000);
  });

  it('go out at once when the agent ends', async () => {
    const { out, received } = await exporting();
    out.push(span('1'.repeat(16)));
    await out.close(2_000);
    expect(received).toHaveLength(1);
    expect(out.figures).toEqual({ exported: 1, dropped: 0 });
  });
});
