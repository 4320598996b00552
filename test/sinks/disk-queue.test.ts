import { appendFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DiskQueue } from '../../src/sinks/disk-queue.js';
import { makeFolder } from '../support/folders.js';

const root = makeFolder('queue');

let made = 0;
function queueIn(dir = join(root, String((made += 1))), maxBytes = 1_000_000) {
  const dropped: number[] = [];
  const faults: unknown[] = [];
  const queue = new DiskQueue({
    dir,
    maxBytes,
    onDropped: (lines) => dropped.push(lines),
    onWritten: () => undefined,
    onFault: (error) => faults.push(error),
  });
  return { queue, dir, dropped, faults };
}

describe('a queue on disk', () => {
  it('gives lines in order, again until they are done with', async () => {
    const { queue } = queueIn();
    for (const line of ['a', 'b', 'c']) queue.append(line);
    const first = await queue.peek(2);
    expect(first?.lines).toEqual(['a', 'b']);
    expect((await queue.peek(1))?.lines).toEqual(['a']);
    if (first !== undefined) await queue.advance(first);
    expect((await queue.peek(9))?.lines).toEqual(['c']);
    expect(queue.length).toBe(1);
    await queue.close();
  });

  it('goes on after a restart where the reader was, and what comes then stands behind', async () => {
    const { queue, dir } = queueIn();
    for (const line of ['a', 'b', 'c']) queue.append(line);
    const first = await queue.peek(1);
    if (first !== undefined) await queue.advance(first);
    await queue.close();
    const { queue: next } = queueIn(dir);
    expect(next.length).toBe(2);
    next.append('d');
    const seen: string[] = [];
    for (;;) {
      const found = await next.peek(9);
      if (found === undefined) break;
      seen.push(...found.lines);
      await next.advance(found);
    }
    expect(seen).toEqual(['b', 'c', 'd']);
    expect(next.length).toBe(0);
    expect(readdirSync(dir)).toEqual(['cursor']);
    await next.close();
  });

  it('leaves out half a line of a crash, and gives all again where the cursor is broken', async () => {
    const { queue, dir } = queueIn();
    queue.append('whole');
    await queue.close();
    const [file = ''] = readdirSync(dir).filter((name) => name.endsWith('.ndjson'));
    appendFileSync(join(dir, file), '{"half');
    writeFileSync(join(dir, 'cursor'), '{"seg');
    const { queue: next } = queueIn(dir);
    next.append('after');
    const seen: string[] = [];
    for (let found = await next.peek(9); found !== undefined; found = await next.peek(9)) {
      seen.push(...found.lines);
      await next.advance(found);
    }
    expect(seen).toEqual(['whole', 'after']);
    await next.close();
  });

  it('gives up the oldest where it is full, and says how many; the last are there', async () => {
    const { queue, dropped } = queueIn(undefined, 4_000);
    for (let line = 0; line < 100; line += 1) {
      queue.append(`${String(line)} ${'x'.repeat(100)}`);
      await queue.flushed();
    }
    expect(queue.bytes).toBeLessThanOrEqual(4_000);
    const lost = dropped.reduce((sum, lines) => sum + lines, 0);
    expect(lost).toBeGreaterThan(50);
    expect(lost + queue.length).toBe(100);
    const first = await queue.peek(1);
    expect(first?.lines[0]).toMatch(new RegExp(`^${String(lost)} `));
    await queue.close();
  });

  it('does not take for done what was dropped while it was delivered', async () => {
    const { queue } = queueIn(undefined, 1_000);
    queue.append(`first ${'x'.repeat(300)}`);
    const taken = await queue.peek(1);
    for (let line = 0; line < 5; line += 1) {
      queue.append(`${String(line)} ${'x'.repeat(300)}`);
      await queue.flushed();
    }
    const before = queue.length;
    if (taken !== undefined) await queue.advance(taken);
    expect(queue.length).toBe(before);
    await queue.close();
  });

  it('keeps lines in memory while the folder is gone, tells it, and writes them when it is back', async () => {
    const { queue, dir, faults } = queueIn();
    rmSync(dir, { recursive: true });
    queue.append('a');
    await queue.flushed();
    expect(faults[0]).toMatchObject({ code: 'ENOENT' });
    const { queue: other } = queueIn(dir);
    await other.close();
    await queue.flushed();
    expect((await queue.peek(9))?.lines).toEqual(['a']);
    await queue.close();
  });
});
