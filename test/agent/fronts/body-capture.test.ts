import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { BodyCapture } from '../../../src/agent/fronts/http/body-capture.js';

const body = Buffer.from('0123456789'.repeat(20));
const captured = (bounds: { bytes: number; hashBytes: number }, piece: number): BodyCapture => {
  const capture = new BodyCapture(bounds);
  for (let at = 0; at < body.length; at += piece) capture.take(body.subarray(at, at + piece));
  return capture;
};

describe('what is recorded of a body', () => {
  it.each([1, 7, 64, 200])('in pieces of %i bytes is its beginning, its size and the hash of all of it', (piece) => {
    const capture = captured({ bytes: 64, hashBytes: 1_000 }, piece);
    expect(capture.text()).toBe(body.subarray(0, 64).toString());
    expect(capture.bytes).toBe(200);
    const sha256 = createHash('sha256').update(body).digest('hex');
    expect(capture.digest()).toEqual({ bytes: 200, sha256, whole: true });
  });

  it('has no hash where it is recorded whole', () => {
    expect(captured({ bytes: 200, hashBytes: 1_000 }, 64).digest()).toBeUndefined();
  });

  it('has the hash of its first bytes where no more are hashed', () => {
    const sha256 = createHash('sha256').update(body.subarray(0, 100)).digest('hex');
    expect(captured({ bytes: 64, hashBytes: 100 }, 7).digest()).toEqual({ bytes: 100, sha256, whole: false });
    expect(captured({ bytes: 64, hashBytes: 0 }, 7).digest()).toBeUndefined();
  });
});
