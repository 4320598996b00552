import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { toJsonLine } from '../../core/display.js';
import type { SinkResource } from '../../core/resources.js';
import type { Delivery } from '../delivery.js';

/**
 * One JSON object a line, on disk when a send resolves. The file is opened anew each time, so that a tool that moves it away
 * loses nothing; over `maxBytes` it becomes `.1`, the one before `.2`, and so on.
 */
export function fileDelivery(sink: Extract<SinkResource, { type: 'file' }>): Delivery {
  return {
    batch: 200,
    send: async (events) => {
      await mkdir(dirname(sink.path), { recursive: true, mode: 0o700 });
      if ((await sizeOf(sink.path)) >= sink.maxBytes) await rotate(sink.path, sink.keep);
      const file = await open(sink.path, 'a+', 0o600);
      try {
        const lines = events.map((event) => `${toJsonLine(event)}\n`).join('');
        await file.appendFile((await endsWhole(file)) ? lines : `\n${lines}`);
        await file.datasync();
      } finally {
        await file.close();
      }
    },
    close: () => Promise.resolve(),
  };
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}

/** Half a line of a crash or of a full disk must not swallow the next one. */
async function endsWhole(file: Awaited<ReturnType<typeof open>>): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return true;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === 0x0a;
}

async function rotate(path: string, keep: number): Promise<void> {
  await rm(`${path}.${String(keep)}`, { force: true });
  for (let number = keep - 1; number >= 0; number -= 1) {
    const from = number === 0 ? path : `${path}.${String(number)}`;
    await rename(from, `${path}.${String(number + 1)}`).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    });
  }
}
