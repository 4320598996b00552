import { createStreamMasker } from '../../../src/masking/streams/stream-masker.js';
import type { StreamMasker } from '../../../src/masking/streams/stream-masker.js';
import { createTextMasker } from '../../../src/masking/text-masker.js';
import type { AnswerBody, AnswerOptions } from '../../../src/protocols/http/dialect.js';
import { bytesOf, hash, ruleOf, STANDARD, textOf } from '../../masking/support.js';

/** An answer's parts are put together and compared: what stands here is shared by the tests of all dialects. */
const rules = [ruleOf(STANDARD)];
export const masker: StreamMasker = createStreamMasker({ rules, custom: [], hash });
const whole = createTextMasker({ rules, custom: [], hash, spellings: true });

/** What masking the whole text at once gives. */
export const maskedText = (text: string): string => whole.maskText(text, new Map());

/** What masking the whole JSON text at once gives. */
export function maskedJson(json: string): string {
  const bytes = bytesOf(json);
  const masked = whole.maskJson(bytes, 0, bytes.length, new Map());
  return masked === undefined || masked === null ? json : textOf(masked);
}

export function optionsOf(changes: Partial<AnswerOptions> = {}): AnswerOptions {
  return {
    request: { facts: {}, endpoint: '', model: '', stream: true, text: '', ambiguous: false },
    masker,
    counts: new Map(),
    maxEventBytes: 1 << 20,
    ...changes,
  };
}

export type MakeAnswer = (options: AnswerOptions) => AnswerBody;

/** What comes out of one answer, given in these parts. */
export function through(make: MakeAnswer, parts: readonly Uint8Array[], changes: Partial<AnswerOptions> = {}): string {
  const body = make(optionsOf(changes));
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let out = '';
  for (const part of parts) out += decoder.decode(body.push(part), { stream: true });
  return out + decoder.decode(body.end());
}

export function wholeThrough(make: MakeAnswer, text: string, changes: Partial<AnswerOptions> = {}): string {
  return through(make, [bytesOf(text)], changes);
}

/** The cuts, of every single one and of one after each byte, that change what comes out. */
export function cutsThatMatter(make: MakeAnswer, text: string): readonly (number | 'each byte')[] {
  const bytes = bytesOf(text);
  const expected = through(make, [bytes]);
  const wrong: (number | 'each byte')[] = [];
  for (let cut = 1; cut < bytes.length; cut += 1)
    if (through(make, [bytes.subarray(0, cut), bytes.subarray(cut)]) !== expected) wrong.push(cut);
  const single = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
  if (through(make, single) !== expected) wrong.push('each byte');
  return wrong;
}

/** One text in `count` pieces of about the same length. */
export function piecesOf(text: string, count: number): string[] {
  const size = Math.ceil(text.length / count);
  return Array.from({ length: count }, (_, index) => text.slice(index * size, (index + 1) * size));
}

/** Values that must not be in any answer, and texts that hold them. */
export const SECRETS = [
  'alice@example.com',
  '4111 1111 1111 1111',
  '4111111111111111',
  '078-05-1120',
  'bob@example.org',
];
export const TEXT = 'Grüße 😀: alice@example.com paid with 4111 1111 1111 1111, ask bob@example.org';
export const ARGUMENTS =
  '{"to": "alice@example.com", "card": 4111111111111111, "note": "say \\"hi\\" \\u0061lice@example.com", "n": 1.50}';

export function secretsIn(text: string): string[] {
  return SECRETS.filter((secret) => text.includes(secret));
}
