import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteQueue, KeptChunks } from '../../src/core/bytes.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What is held of memory after the garbage was collected, in MiB. */
function heldMib(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / (1 << 20);
}

const slices = fc.array(fc.tuple(fc.nat({ max: 3_000 }), fc.nat({ max: 70_000 })), { maxLength: 30 });

describe('chunks that wait', () => {
  it('come out in order, byte for byte, however they were cut and of whatever they were a part', () => {
    fc.assert(
      fc.property(slices, fc.array(fc.nat({ max: 5 }), { maxLength: 30 }), (cut, taken) => {
        const kept = new KeptChunks();
        const put: Uint8Array[] = [];
        const got: Uint8Array[] = [];
        let next = 0;
        cut.forEach(([length, rest], index) => {
          const memory = new Uint8Array(length + rest);
          const chunk = memory.subarray(rest, rest + length);
          chunk.forEach((_, at) => (chunk[at] = next++ & 0xff));
          put.push(chunk.slice());
          kept.push(chunk);
          // Whoever sent it may use its memory again once it was copied, and only then: what is kept as it is stays.
          for (let count = taken[index] ?? 0; count > 0; count -= 1) {
            const out = kept.shift();
            if (out !== undefined) got.push(out.slice());
          }
        });
        const before = kept.length;
        const last = kept.join();
        expect(last.length).toBe(before);
        expect(Buffer.concat([...got, last]).equals(Buffer.concat(put))).toBe(true);
      }),
    );
  });

  it('are read as one sequence, whatever is asked for', () => {
    fc.assert(
      fc.property(slices, fc.infiniteStream(fc.nat({ max: 4_000 })), (cut, asks) => {
        const queue = new ByteQueue();
        const all: number[] = [];
        let at = 0;
        for (const [length, rest] of cut) {
          const chunk = new Uint8Array(length + rest).subarray(0, length);
          chunk.forEach((_, index) => {
            chunk[index] = all.length & 0xff;
            all.push(all.length & 0xff);
          });
          queue.push(chunk);
          const count = asks.next().value as number;
          expect(queue.byteAt(count)).toBe(all[at + count]);
          const taken = queue.take(count);
          if (at + count > all.length) {
            expect(taken).toBeUndefined();
            continue;
          }
          expect([...(taken as Uint8Array)]).toEqual(all.slice(at, at + count));
          at += count;
          expect(queue.length).toBe(all.length - at);
        }
        expect([...queue.takeAll()]).toEqual(all.slice(at));
      }),
      { numRuns: 50 },
    );
  });

  it('of 1 byte each, 1 MiB of them, take less than 16 MiB of memory', async () => {
    const queue = new ByteQueue();
    const memory = new Uint8Array(1 << 20);
    const before = heldMib();
    for (let index = 0; index < 1 << 20; index += 1) queue.push(memory.subarray(index, index + 1));
    // Memory of arrays is given back beside the work.
    await expect.poll(() => heldMib() - before, { timeout: 20_000 }).toBeLessThan(16);
    expect(queue.length).toBe(1 << 20);
  });

  it('that are small pieces of large messages do not hold those: 200 of 1 MiB each take less than 16 MiB', async () => {
    const kept = new KeptChunks();
    const before = heldMib();
    for (let index = 0; index < 200; index += 1) kept.push(new Uint8Array(1 << 20).subarray(0, 2_000));
    // Memory of arrays is given back beside the work.
    await expect.poll(() => heldMib() - before, { timeout: 20_000 }).toBeLessThan(16);
    expect(kept.length).toBe(400_000);
  });
});
