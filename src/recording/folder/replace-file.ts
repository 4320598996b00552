import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';

/**
 * Writes a file beside, puts it on disk, then renames it: a crash leaves the old one or the new one whole.
 *
 * @param draft in the same folder; what a crash left of it is replaced. Throws what the system throws.
 */
export async function replaceFile(draft: string, path: string, text: string): Promise<void> {
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
  await rm(draft, { force: true });
  const handle = await open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    await handle.writeFile(text);
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await rename(draft, path);
}
