import { describe, expect, it } from 'vitest';
import { HoopError } from '../../../../src/core/errors.js';
import { DIALECTS } from '../../../../src/protocols/registry.js';
import { bytesOf } from '../../../masking/support.js';
import { piecesOf } from '../../../protocols/http/masked-answer.js';
import { chatStream, messageStream } from '../../../protocols/http/model-streams.js';
import { stageOf } from './staged-answer.js';

const SECRET = 'alice@example.com';

/** What comes of an answer to a request that asked a model for a stream; undefined where it is not given on. */
function passed(type: string, body: string, size: number, stream = true): string | undefined {
  const stage = stageOf(DIALECTS.openai, type, { narrow: true, request: { stream } });
  if (stage === undefined) return undefined;
  const bytes = bytesOf(body);
  const out: Uint8Array[] = [];
  try {
    for (let at = 0; at < bytes.length; at += size) out.push(stage.push(bytes.subarray(at, at + size)));
    out.push(stage.end());
  } catch (error) {
    if (!(error instanceof HoopError)) throw error;
  }
  return Buffer.concat(out).toString();
}

/** What an SDK that reads any answer as the event stream that it asked for puts together. */
function assembled(body: string): string {
  return body
    .split(/\r\n|\n|\r/)
    .filter((line) => line.startsWith('data:'))
    .map((line) => {
      try {
        const event = JSON.parse(line.slice(5)) as {
          choices?: { delta?: { content?: string } }[];
          delta?: { text?: string };
        };
        return event.choices?.[0]?.delta?.content ?? event.delta?.text ?? '';
      } catch {
        return '';
      }
    })
    .join('');
}

const TYPES = [
  '',
  'text/plain',
  'text/html',
  'application/json',
  'application/x-ndjson',
  'application/octet-stream',
  'text/event-stream',
];
const BEFORE = [
  'content-type: text/event-stream\r\n\r\n',
  'x\n',
  'Hello there\n\n',
  '{}\n\n',
  '[1]\n',
  '"a"\n\n',
  '"a\n\n',
  '{"a":\n\n',
  '\u001e',
  'dat\n',
  'date: x\nevent\n\n',
  ' \n\u00a0\n',
  '\ufeff\ufeff',
  'HTTP/1.1 200 OK\n\n',
];

describe('an event stream behind something else, where a stream was asked for', () => {
  it.each(TYPES)('is masked as one, whatever the type says, or is not given on: %s', (type) => {
    for (const before of BEFORE)
      for (const stream of [chatStream, messageStream])
        for (const size of [9, 100_000]) {
          const body = before + stream(piecesOf(`to ${SECRET}.`, 3), 1, 'text');
          const out = passed(type, body, size) ?? '';
          expect(assembled(out), JSON.stringify([before, type, size])).not.toContain(SECRET);
          expect(out, JSON.stringify([before, type, size])).not.toContain(SECRET);
        }
  });

  it('is masked as one where its type says so, though nobody asked for it', () => {
    for (const before of BEFORE)
      for (const size of [9, 100_000]) {
        const body = before + chatStream(piecesOf(`to ${SECRET}.`, 3), 1, 'text');
        const out = passed('text/event-stream', body, size, false) ?? '';
        expect(assembled(out), JSON.stringify([before, size])).not.toContain(SECRET);
      }
  });

  it('leaves words of an error as they are, entities masked, whatever lines they stand in', () => {
    const words = 'Bad gateway: no upstream.\n\ntried\n  example.com\nask alice@example.com';
    for (const size of [1, 1_000]) expect(passed('text/plain', words, size)).toBe(words.replace(SECRET, '[email]'));
  });
});
