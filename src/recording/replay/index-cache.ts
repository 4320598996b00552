import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { BlockIndex } from './block-index.js';

/** Below this a recording is indexed in less time than its index takes to be found. */
const WORTH_BYTES = 16 * 1024 * 1024;
/** Indexes kept; of 1 GB each is less than 1 MB. */
const MAX_KEPT = 16;
const SUFFIX = '.index';
/** Changes with the meaning of what is kept. */
const FORMAT = 1n;
/** Format, device, inode, size, time of the last change: of another file, or of one that was changed, none fits. */
const HEAD_NUMBERS = 5;

/**
 * Indexes of large recordings, kept between two looks at one. Nothing depends on them: what does not fit is made anew,
 * and what cannot be kept is not.
 */
export class IndexCache {
  /** @param folder made where it is missing, with mode 0700 */
  constructor(private readonly folder: string) {}

  /** The index of a file as it stands; undefined where there is none that fits. */
  async load(path: string, stats: BigIntStats): Promise<BlockIndex | undefined> {
    try {
      const bytes = await readFile(this.#place(path));
      const aligned = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
      const head = new BigUint64Array(aligned, 0, HEAD_NUMBERS);
      if (identity(stats).some((number, place) => head[place] !== number)) return undefined;
      const index = BlockIndex.load(new Float64Array(aligned, HEAD_NUMBERS * 8));
      return index !== undefined && index.endOffset <= Number(stats.size) ? index : undefined;
    } catch {
      return undefined;
    }
  }

  /** Keeps an index, and forgets the oldest. */
  async save(path: string, stats: BigIntStats, index: BlockIndex): Promise<void> {
    if (stats.size < WORTH_BYTES) return;
    const head = Buffer.from(new BigUint64Array(identity(stats)).buffer);
    const saved = index.save();
    const place = this.#place(path);
    const beside = `${place}.${String(process.pid)}`;
    try {
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      await writeFile(beside, Buffer.concat([head, Buffer.from(saved.buffer)]), { mode: 0o600, flag: 'wx' });
      await rename(beside, place);
      await this.#forgetOldest();
    } catch {
      await rm(beside, { force: true }).catch(() => undefined);
    }
  }

  async #forgetOldest(): Promise<void> {
    const names = (await readdir(this.folder)).filter((name) => name.endsWith(SUFFIX));
    const aged = await Promise.all(
      names.map(async (name) => ({ name, atMs: (await stat(join(this.folder, name))).mtimeMs })),
    );
    const old = aged.toSorted((one, other) => other.atMs - one.atMs).slice(MAX_KEPT);
    await Promise.all(old.map(({ name }) => rm(join(this.folder, name), { force: true })));
  }

  /** The name of a file tells nothing of the recording. */
  #place(path: string): string {
    return join(this.folder, createHash('sha256').update(resolve(path)).digest('hex').slice(0, 32) + SUFFIX);
  }
}

function identity({ dev, ino, size, mtimeNs }: BigIntStats): bigint[] {
  return [FORMAT, dev, ino, size, mtimeNs];
}
