import { existsSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';

import { bundledRecording, isBundleName, SUMS } from '../../recording/proof/bundle.js';
import { CHECKPOINT, segmentOf } from '../../recording/folder/checkpoint.js';
import { splitLines } from '../../recording/reading/lines.js';
import { parseLine, readRecording } from '../../recording/reading/read.js';
import { TOMBSTONE } from '../../recording/folder/tombstone.js';
import { placeOf } from './recording-source.js';
import type { RecordingPlace } from './recording-source.js';

/** An evidence bundle: an archive, or one that is unpacked. */
export interface BundlePlace {
  readonly kind: 'bundle';
  readonly path: string;
  readonly packed: boolean;
}

/** What a path or id on the command line of `hoop verify` and `hoop replay` means. */
export interface NamedPlace {
  readonly place: RecordingPlace | BundlePlace;
  /** The target is a file without a chain of its own; what it is part of is verified instead. */
  readonly part: boolean;
}

/** Folders between a file of a bundle and the bundle itself: `recordings/DAY/checkpoint`. */
const MAX_DEPTH = 3;

/**
 * A list of a bundle, a checkpoint or a tombstone proves nothing alone, and is not tampered with because it is no
 * recording: it stands for the bundle or folder that it is part of.
 *
 * @throws HoopError `not_found`
 */
export async function namedPlace(target: string): Promise<NamedPlace> {
  const stats = await lstat(target).catch(() => undefined);
  if (stats?.isDirectory() === true && existsSync(join(target, SUMS)))
    return { place: { kind: 'bundle', path: target, packed: false }, part: false };
  if (stats?.isFile() !== true) return { place: await placeOf(target), part: false };
  if (/\.tar$/i.test(target)) return { place: { kind: 'bundle', path: target, packed: true }, part: false };
  const whole = wholeOf(resolve(target));
  return whole === undefined ? { place: await placeOf(target), part: false } : { place: whole, part: true };
}

/** What a file is part of that is no recording itself. */
function wholeOf(path: string): BundlePlace | RecordingPlace | undefined {
  let folder = dirname(path);
  for (let depth = 0; depth < MAX_DEPTH; depth += 1, folder = dirname(folder)) {
    if (!existsSync(join(folder, SUMS))) continue;
    const name = relative(folder, path).split(sep).join('/');
    if (bundledRecording(name) !== undefined) return undefined;
    if (isBundleName(name)) return { kind: 'bundle', path: folder, packed: false };
  }
  const name = basename(path);
  const signedList = name === CHECKPOINT || name === TOMBSTONE || segmentOf(name) !== undefined;
  return signedList ? { kind: 'folder', path: dirname(path) } : undefined;
}

/** Is there any event in it? Where there is none, a file whose name is no session's is none of a recording. */
export async function holdsEvents(path: string): Promise<boolean> {
  for await (const lines of splitLines(readRecording(path)))
    for (const line of lines) if (parseLine(line) !== undefined) return true;
  return false;
}
