import { type Stats } from 'node:fs';
import { lstat, mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HoopError } from '../../core/errors.js';

const OTHERS_MAY_WRITE = 0o022;
const STICKY = 0o1000;

/**
 * Makes the folder of a socket file where it is missing, with mode 0700, and refuses one in which somebody else could
 * put another file in its place: not this user's or root's, or writable by others without the sticky bit (as `/tmp` has).
 *
 * @param path of the socket file, absolute
 * @throws HoopError usage
 */
export async function prepareSocketFolder(path: string, ownUid = process.getuid?.()): Promise<void> {
  const folder = dirname(path);
  // One level: whoever wants a path of several makes them, and knows whose they are.
  await mkdir(folder, { mode: 0o700 }).catch(() => undefined);
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory() !== true) throw unsafe('the folder of the socket file is not there and can not be made');
  // Named by a link: whoever owns the link says where it leads.
  const why = whyUnsafe(found, ownUid) ?? whyUnsafe(await lstat(folder), ownUid);
  if (why !== undefined) throw unsafe('the folder of the socket file is not safe', why);
}

function whyUnsafe(found: Stats, ownUid: number | undefined): string | undefined {
  if (ownUid === undefined) return undefined;
  if (found.uid !== ownUid && found.uid !== 0) return 'it belongs to another user';
  if (!found.isSymbolicLink() && (found.mode & OTHERS_MAY_WRITE) !== 0 && (found.mode & STICKY) === 0)
    return 'others may put files there in the place of yours';
  return undefined;
}

function unsafe(message: string, why?: string): HoopError {
  return new HoopError('usage', message, {
    ...(why === undefined ? {} : { why }),
    suggestion: 'name a path with --socket in a folder of yours that only you may write to',
  });
}
