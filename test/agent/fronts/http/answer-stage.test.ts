import { describe, expect, it } from 'vitest';
import { answerKind, answerStage } from '../../../../src/agent/fronts/http/answer-stage.js';
import { mediaTypeOf } from '../../../../src/protocols/http/body.js';
import { DIALECTS } from '../../../../src/protocols/registry.js';
import { bytesOf, hash } from '../../../masking/support.js';
import { maskedText, optionsOf, piecesOf, TEXT } from '../../../protocols/http/masked-answer.js';
import { ollamaStream, ollamaTexts } from '../../../protocols/ollama/ollama-stream.js';

/** What comes of a body of this type, in parts of so many bytes. */
function masked(type: string, body: string, size: number): string {
  const { masker, request } = optionsOf();
  const stage = answerStage(answerKind('POST', 200, type), {
    dialect: DIALECTS.http,
    request,
    masker,
    counts: new Map(),
    maxEventBytes: 1 << 20,
    paths: [],
    hash,
    contentType: mediaTypeOf(type).type,
    events: true,
  });
  if (stage === undefined) throw new Error(`nothing looks at ${type}`);
  const bytes = bytesOf(body);
  const out: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) out.push(stage.push(bytes.subarray(at, at + size)));
  return Buffer.concat([...out, stage.end()]).toString();
}

const TYPES = [
  'application/x-ndjson',
  'application/json-seq',
  'application/json',
  'text/plain',
  '',
  'text/event-stream',
];

describe('lines that are pieces of one text', () => {
  it.each(TYPES)('are masked as one whatever the type says: %s', (type) => {
    for (const lines of [ollamaStream('chat', piecesOf(TEXT, 7)), ollamaStream('generate', piecesOf(TEXT, 3))])
      for (const size of [1, 50, 10_000]) expect(ollamaTexts(masked(type, lines, size)).text).toBe(maskedText(TEXT));
  });

  it.each(TYPES)('are so behind a line that is something else: %s', (type) => {
    const body = `{"hello":"alice\\u0040example.com"}\n${ollamaStream('chat', piecesOf(TEXT, 7))}`;
    const out = masked(type, body, 33);
    expect(out.startsWith('{"hello":"[email]"}\n')).toBe(true);
    expect(ollamaTexts(out).text).toBe(maskedText(TEXT));
  });

  it.each(TYPES.slice(1))('are no lines where one JSON text has several: %s', (type) => {
    const body = JSON.stringify({ to: 'alice@example.com', list: [1, { n: 1.5 }], done: false }, undefined, 2);
    for (const size of [1, 10_000]) expect(masked(type, body, size)).toBe(body.replace('alice@example.com', '[email]'));
  });
});
