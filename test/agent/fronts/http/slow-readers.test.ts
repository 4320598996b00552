import { setTimeout as delay } from 'node:timers/promises';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { AnswerPipe } from '../../../../src/agent/fronts/http/answers/answer-pipe.js';
import { RulesBook } from '../../../../src/agent/fronts/http/connection-rules.js';
import { DIALECTS } from '../../../../src/protocols/registry.js';
import { hash } from '../../../masking/support.js';
import { contextOf, policy, setOf } from '../../../policy/policy-fixtures.js';

const BYTES = 16 << 20;
/** A decoder that nobody holds gives its next piece in a fraction of it. */
const PIECE_MS = 300;
const ZEROS = Buffer.alloc(BYTES, 'word ');
const BOMBS = {
  br: brotliCompressSync(ZEROS, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
  gzip: gzipSync(ZEROS, { level: 1 }),
};

/** An answer to a client that takes nothing until it is told to. */
function answerOf(coding: keyof typeof BOMBS, masked: boolean) {
  const mask = masked ? [{ name: 'pii', entities: ['email'], strategy: 'redact' as const }] : [];
  const policySet = setOf(policy('p', { mask }));
  let taken = 0;
  let taking = (): void => undefined;
  const done = new Promise<string | undefined>((resolve) => {
    const pipe = new AnswerPipe({
      request: { method: 'GET', path: '/', query: '', headers: [], contentType: '' },
      reading: { facts: {}, endpoint: '', model: '', stream: false, text: '', ambiguous: false },
      dialect: DIALECTS.http,
      rules: new RulesBook({ policy: () => policySet, entities: () => [], hash }).rulesFor(contextOf()),
      uninspected: 'block',
      redactor: undefined,
      originals: undefined,
      place: { upstream: 'http://127.0.0.1', base: '' },
      maxEventBytes: 1 << 20,
      out: {
        begin: () => undefined,
        write: (bytes) => {
          taken += bytes.length;
          return false;
        },
        end: () => undefined,
        onDrain: (listener) => (taking = listener),
      },
      hash,
      bounds: { rows: 0, bytes: 0, hashBytes: 0 },
      nowMs: () => 0,
      done: (error) => {
        resolve(error?.message);
      },
    });
    const flow = { pause: () => undefined, resume: () => undefined };
    pipe.head(200, ['content-type', 'text/plain', 'content-encoding', coding], flow, 'OK');
    pipe.data(BOMBS[coding]);
    pipe.end();
  });
  return { done, taken: () => taken, take: () => taking() };
}

describe.each(['br', 'gzip'] as const)('a few bytes that stand for many, in %s', (coding) => {
  it.each([false, true])('are decoded no faster than the client takes them (masked: %s)', async (masked) => {
    const { done, taken, take } = answerOf(coding, masked);
    while (taken() === 0) await delay(5);
    const first = taken();
    await delay(PIECE_MS);
    expect(taken()).toBe(first);
    // Of a clean answer the first megabytes have waited to be known as such.
    expect(first).toBeLessThan(masked ? 1 << 20 : 10 << 20);
    const ended = done.then(() => true);
    for (let over = false; !over;) {
      take();
      over = await Promise.race([ended, new Promise<false>((resolve) => setImmediate(() => resolve(false)))]);
    }
    expect(await done).toBeUndefined();
    expect(taken()).toBe(BYTES);
  });
});
