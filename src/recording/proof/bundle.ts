import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { HoopError } from '../../core/errors.js';
import { readTar } from './tar.js';

/** What the list of all files of an evidence bundle is called, and the agent's signature over it: 64 bytes. */
export const SUMS = 'SHA256SUMS';
export const SUMS_SIGNATURE = 'SHA256SUMS.sig';
export const ABOUT = 'bundle.json';

const DATE = String.raw`\d{4}-\d{2}-\d{2}`;
const LIST = String.raw`(?:checkpoint(?:\.[1-9]\d{0,8})?|tombstone)`;
const NAMES = new RegExp(
  String.raw`^(?:README\.txt|SHA256SUMS(?:\.sig)?|bundle\.json|(?:sessions|decisions|approvals|readings)\.ndjson` +
    String.raw`|keys/[0-9a-f]{16}\.pem|policies/[0-9a-f]{64}\.json` +
    String.raw`|recordings/(?:${LIST}|${DATE}/(?:${LIST}|[0-9a-f-]{36}\.ndjson)))$`,
);

/** Is this the path of a file that bundles hold? Nothing else is ever unpacked. */
export function isBundleName(name: string): boolean {
  return NAMES.test(name);
}

const RECORDING = new RegExp(String.raw`^recordings/(${DATE})/([0-9a-f-]{36})\.ndjson$`);

/** The day and session of a recording by its path in a bundle; undefined for the bundle's other files. */
export function bundledRecording(name: string): { readonly date: string; readonly session: string } | undefined {
  const [, date, session] = RECORDING.exec(name) ?? [];
  return date === undefined || session === undefined ? undefined : { date, session };
}

/**
 * Unpacks a bundle into a folder that is empty.
 *
 * @throws HoopError `verify_failed` where it is no whole archive of a bundle
 */
export async function unpackBundle(chunks: AsyncIterable<Uint8Array>, folder: string): Promise<void> {
  let fd: number | undefined;
  try {
    await readTar(chunks, {
      begin: ({ name }) => {
        if (!isBundleName(name)) throw new TypeError('the archive holds a file that no bundle has');
        const path = join(folder, name);
        mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
        // A name that comes twice fails here: the second would hide the first.
        fd = openSync(path, 'wx', 0o600);
      },
      write: (bytes) => {
        if (fd !== undefined) for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
      },
      end: () => {
        if (fd !== undefined) closeSync(fd);
        fd = undefined;
      },
    });
  } catch (cause) {
    if (cause instanceof HoopError) throw cause;
    const twice = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    const why = twice ? 'it holds a file twice' : cause instanceof TypeError ? cause.message : 'it can not be unpacked';
    throw new HoopError('verify_failed', 'the bundle is no whole archive of its kind', { why, cause });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
