import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../../src/core/bytes.js';
import { anthropicEventStream } from '../../../../src/protocols/anthropic/answer.js';
import { createRedactor } from '../../../../src/protocols/http/credentials/credential-redaction.js';
import { plainEventStream } from '../../../../src/protocols/http/answers/plain-answer.js';
import { openaiEventStream } from '../../../../src/protocols/openai/answer.js';
import { bytesOf, textOf } from '../../../masking/support.js';
import { masker, optionsOf, type MakeAnswer } from '../masked-answer.js';
import { chatStream, messageStream, responseStream } from '../model-streams.js';

const KEY = 'sk-proj-aB3dE6gH9jK2mN5pQ8sT1vW4yZ7';
const redactor = createRedactor([`Bearer ${KEY}`]);
const { pieces } = redactor;

function cutAt(text: string, size: number): string[] {
  return text.match(new RegExp(`.{1,${String(size)}}`, 'gs')) ?? [];
}

function through(make: MakeAnswer, stream: string, masked = false, size = 1 << 20): string {
  const body = make(optionsOf({ masker: masked ? masker : undefined, credential: pieces }));
  // Whole credentials are taken out of the bytes before.
  const whole = redactor.stream();
  const bytes = concatBytes([whole.push(bytesOf(stream)), whole.end()]);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) parts.push(body.push(bytes.subarray(at, at + size)));
  return textOf(concatBytes([...parts, body.end()]));
}

describe('a credential that is cut over pieces', () => {
  it.each([1, 3, 7, 15, 16, 17, 30, 34, 35])('of %i characters shows less than 16 of it, and all around it', (size) => {
    const text = pieces?.();
    const shown = cutAt(`the key is ${KEY}, keep it`, size).map((piece) => text?.push(piece) ?? '');
    const all = shown.join('');
    expect(all).toHaveLength(`the key is ${KEY}, keep it`.length);
    expect([all.startsWith('the key is '), all.endsWith(', keep it')]).toEqual([true, true]);
    if (size < KEY.length) expect(all).not.toContain(KEY.slice(0, 16));
    expect(all.includes(KEY.slice(16))).toBe(size > KEY.length);
  });

  it('is no such where the text only begins like it', () => {
    const text = pieces?.();
    const said = ['keys begin with sk-pro', 'j-, and then come letters: s', 'k', '-proj-x'];
    expect(said.map((piece) => text?.push(piece))).toEqual(said);
  });

  it('is found in each text by itself', () => {
    const [one, other] = [pieces?.(), pieces?.()];
    expect([one?.push(KEY.slice(0, 20)), other?.push(KEY.slice(20)), one?.push(KEY.slice(20))]).toEqual([
      '*'.repeat(20),
      KEY.slice(20),
      '*'.repeat(KEY.length - 20),
    ]);
  });
});

describe.each([
  ['chat', openaiEventStream, chatStream],
  ['responses', openaiEventStream, responseStream],
  ['messages', anthropicEventStream, messageStream],
  ['plain', plainEventStream, chatStream],
] as const)('an event stream in which it is cut over events: %s', (_, make, streamOf) => {
  it.each(['masked', 'not masked'])('does not show it, and all else stays: %s', (how) => {
    const stream = streamOf(cutAt(`it is ${KEY}!`, 9), 2, 'text');
    const shown = through(make, stream, how === 'masked', 50);
    expect(shown).not.toContain(KEY.slice(16, 24));
    // Masks hold text back, and have events of their own for what is left at the end.
    if (how === 'not masked') expect(shown).toHaveLength(stream.length);
  });

  it('passes byte for byte, event by event, where there is none', () => {
    const stream = streamOf(cutAt('sk-proj- is how keys begin', 3), 2, 'text');
    expect(through(make, stream, false, 7)).toBe(stream);
  });
});

it('passes what can’t be read, or is too large to be, as it came', () => {
  const broken = `data: {"choices":[\n\ndata: x\n\n: hi\n\nevent: ${'y'.repeat(2_000_000)}\n\ndata: z`;
  const body = openaiEventStream({ ...optionsOf({ masker: undefined, credential: pieces }), maxEventBytes: 1_000 });
  const bytes = bytesOf(broken);
  const parts = [bytes.subarray(0, 500_000), bytes.subarray(500_000)].map((part) => body.push(part));
  expect(textOf(concatBytes([...parts, body.end()]))).toBe(broken);
});

it.each([
  ['openai', openaiEventStream],
  ['plain', plainEventStream],
])('gives on half an event of a stream that broke off, but not behind a credential that was begun: %s', (_, make) => {
  const broken = (content: string): string => {
    const body = make(optionsOf({ masker: undefined, credential: pieces }));
    body.push(bytesOf(`data: {"choices":[{"index":0,"delta":{"content":"${content}"}}]}\n\ndata: {"choices":[{"ind`));
    return textOf(body.broken?.() ?? new Uint8Array());
  };
  expect([broken('hello'), broken(`it is ${KEY.slice(0, 20)}`)]).toEqual(['data: {"choices":[{"ind', '']);
});
