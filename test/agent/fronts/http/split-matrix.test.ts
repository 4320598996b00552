import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { AnswerPipe } from '../../../../src/agent/fronts/http/answers/answer-pipe.js';
import { RulesBook } from '../../../../src/agent/fronts/http/connection-rules.js';
import type { HttpType } from '../../../../src/core/resources.js';
import { DIALECTS } from '../../../../src/protocols/registry.js';
import { hash } from '../../../masking/support.js';
import { contextOf, policy, setOf } from '../../../policy/policy-fixtures.js';
import { piecesOf } from '../../../protocols/http/masked-answer.js';
import {
  chatStream,
  completionStream,
  messageStream,
  responseStream,
  type Kind,
} from '../../../protocols/http/model-streams.js';
import { ollamaStream } from '../../../protocols/ollama/ollama-stream.js';

/** Values that must not come out: with signs, in groups, with a beginning that is known, of open length. */
const SAMPLES: readonly string[] = [
  'ann.lee@example.com',
  '4111 1111 1111 1111',
  '078-05-1120',
  '+41 44 668 18 00',
  'DE89 3704 0044 0532 0130 00',
  'AKIAQ3EGRPXK7N2MTLQW',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlLW9mLWl0LWFsbA',
  '-----BEGIN PRIVATE KEY-----MIIBVQIBADANBgkqhkiG9w0BAQEFAASCAT8w-----END PRIVATE KEY-----',
];
const ENTITIES = ['email', 'credit-card', 'us-ssn', 'phone', 'iban', 'aws-access-key', 'jwt', 'private-key'];
const CODINGS = {
  identity: (text: string) => Buffer.from(text),
  gzip: (text: string) => gzipSync(text),
  br: (text: string) => brotliCompressSync(text),
};
type Coding = keyof typeof CODINGS;

interface Cell {
  readonly name: string;
  readonly type: HttpType;
  readonly contentType: string;
  body(value: string): string;
}

const JSON_TYPE = 'application/json';
const EVENTS = 'text/event-stream';
const saying = (kind: Kind, value: string): string =>
  kind === 'text' ? `é😀 to ${value}, ok` : JSON.stringify({ to: value, n: 1.5 });
const pieces = (kind: Kind, value: string): string[] => piecesOf(saying(kind, value), 3);
const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));

function streamsOf(kind: Kind, count: number): readonly Cell[] {
  const name = `${kind}, n=${String(count)}, stream`;
  const of = (api: string, type: HttpType, make: (parts: readonly string[]) => string, contentType = EVENTS): Cell => ({
    name: `${api}, ${name}`,
    type,
    contentType,
    body: (value) => make(pieces(kind, value)),
  });
  return [
    of('chat', 'openai', (parts) => chatStream(parts, count, kind)),
    of('responses', 'openai', (parts) => responseStream(parts, count, kind)),
    of('messages', 'anthropic', (parts) => messageStream(parts, count, kind)),
    // Neither has tools.
    ...(kind === 'text' ? [of('completions', 'openai', (parts) => completionStream(parts, count))] : []),
    of('http json', 'http', (parts) => chatStream(parts, count, kind)),
    of(
      'http json lines',
      'http',
      (parts) => times(count, (index) => `${JSON.stringify({ index, text: parts.join('') })}\n`).join(''),
      'application/x-ndjson',
    ),
    ...(kind === 'text' && count === 1
      ? [of('ollama', 'openai', (parts) => ollamaStream('chat', parts), 'application/x-ndjson')]
      : []),
  ];
}

function documentsOf(kind: Kind, count: number): readonly Cell[] {
  const name = `${kind}, n=${String(count)}, document`;
  const of = (api: string, type: HttpType, make: (said: string, value: string) => object): Cell => ({
    name: `${api}, ${name}`,
    type,
    contentType: JSON_TYPE,
    body: (value) => JSON.stringify(make(saying(kind, value), value)),
  });
  const call = (said: string) => ({ id: 'call_1', type: 'function', function: { name: 'send', arguments: said } });
  const message = (said: string) =>
    kind === 'text' ? { role: 'assistant', content: said } : { role: 'assistant', tool_calls: [call(said)] };
  const item = (said: string) =>
    kind === 'text'
      ? { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: said, annotations: [] }] }
      : { type: 'function_call', call_id: 'call_1', name: 'send', arguments: said };
  const block = (said: string) =>
    kind === 'text'
      ? { type: 'text', text: said }
      : { type: 'tool_use', id: 'toolu_1', name: 'send', input: JSON.parse(said) as object };
  return [
    of('chat', 'openai', (said) => ({
      id: 'chatcmpl-1',
      choices: times(count, (index) => ({ index, message: message(said), finish_reason: 'stop' })),
      usage: { prompt_tokens: 9, completion_tokens: 12 },
    })),
    of('responses', 'openai', (said) => ({ id: 'resp_1', output: times(count, () => item(said)) })),
    of('messages', 'anthropic', (said) => ({ id: 'msg_1', type: 'message', content: times(count, () => block(said)) })),
    ...(kind === 'text'
      ? [
          of('completions', 'openai', (said) => ({ choices: times(count, (index) => ({ index, text: said })) })),
          of('embeddings', 'openai', (_said, value) => ({
            data: times(count, (index) => ({ index, embedding: [0.0123456789012345, -4.111e-3] })),
            of: value,
          })),
        ]
      : []),
    of('http json', 'http', (said) => ({ rows: times(count, (id) => ({ id, said, n: 1.5 })) })),
  ];
}

const CELLS: readonly Cell[] = (['text', 'tool arguments'] as const).flatMap((kind) =>
  [1, 2].flatMap((count) => [...streamsOf(kind, count), ...documentsOf(kind, count)]),
);

const policySet = setOf(policy('p', { mask: [{ name: 'pii', entities: ENTITIES, strategy: 'redact' }] }));
const rules = new RulesBook({ policy: () => policySet, entities: () => [], hash }).rulesFor(contextOf());

interface Verdict {
  readonly body: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly error: string | undefined;
}

/** What a client is given of an answer that comes in these parts. */
function given(cell: Cell, coding: Coding, parts: readonly Uint8Array[]): Promise<Verdict> {
  return new Promise((resolve) => {
    const body: Buffer[] = [];
    const request = { facts: {}, endpoint: '', model: '', stream: true, text: '', ambiguous: false };
    const pipe = new AnswerPipe({
      request: { method: 'POST', path: '/', query: '', headers: [], contentType: JSON_TYPE },
      reading: request,
      dialect: DIALECTS[cell.type],
      rules,
      uninspected: 'block',
      redactor: undefined,
      originals: undefined,
      place: { upstream: 'http://127.0.0.1', base: '' },
      maxEventBytes: 1 << 20,
      out: {
        begin: () => undefined,
        write: (bytes) => body.push(Buffer.from(bytes)) > 0,
        end: () => undefined,
        onDrain: () => undefined,
      },
      hash,
      bounds: { rows: 0, bytes: 0, hashBytes: 0 },
      nowMs: () => 0,
      done: (error) => {
        const counts = Object.fromEntries(pipe.counts);
        resolve({ body: Buffer.concat(body).toString(), counts, error: error?.message });
      },
    });
    const headers = ['content-type', cell.contentType];
    const flow = { pause: () => undefined, resume: () => undefined };
    pipe.head(200, coding === 'identity' ? headers : [...headers, 'content-encoding', coding], flow, 'OK');
    for (const part of parts) pipe.data(Buffer.from(part));
    pipe.end();
  });
}

const encoded = (cell: Cell, coding: Coding, value: string): Buffer => CODINGS[coding](cell.body(value));
const single = (bytes: Buffer): Buffer[] => Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));

describe.each(CELLS)('an answer of $name', (cell) => {
  it('shows nothing of any of 8 values, with one verdict whether it comes whole or byte by byte, plain, gzip or br', async () => {
    for (const value of SAMPLES) {
      const whole = await given(cell, 'identity', [encoded(cell, 'identity', value)]);
      expect(whole.error).toBeUndefined();
      expect(whole.body).not.toContain(value);
      expect(whole.body).not.toContain(value.slice(0, 8));
      expect(Object.values(whole.counts).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
      for (const coding of Object.keys(CODINGS) as Coding[])
        expect(await given(cell, coding, single(encoded(cell, coding, value)))).toEqual(whole);
    }
  });

  // Plain bytes are cut everywhere in test/protocols/http/split-matrix.test.ts, without what is around a stage.
  it('has one verdict at every cut of its bytes, gzip or br', async () => {
    const value = SAMPLES[CELLS.indexOf(cell) % SAMPLES.length] as string;
    const whole = await given(cell, 'identity', [encoded(cell, 'identity', value)]);
    for (const coding of ['gzip', 'br'] as const) {
      const bytes = encoded(cell, coding, value);
      const cuts = Array.from({ length: bytes.length - 1 }, (_, at) => at + 1);
      const verdicts = await Promise.all(
        cuts.map((cut) => given(cell, coding, [bytes.subarray(0, cut), bytes.subarray(cut)])),
      );
      expect(verdicts.findIndex((one) => one.body !== whole.body || one.error !== undefined)).toBe(-1);
      expect(verdicts.filter(({ counts }) => JSON.stringify(counts) !== JSON.stringify(whole.counts))).toEqual([]);
    }
  });
});
