import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { listConfigFiles } from '../../config/read-files.js';

const LOOK_EVERY_MS = 1_000;
/** Many recordings may lie below the folder too: looking takes at most this part of the time. */
const REST_FACTOR = 50;

/**
 * Tells of changed, new and removed resource files below a folder, once they have been still for one
 * look: an editor or a checkout that is writing is waited for. Looks at names, times and sizes each
 * second; the kernel's notices are lost on network and container file systems.
 *
 * @param known what `resourcesFingerprint` gave before the files were read, so that no change slips through in between
 */
export function watchResources(dir: string, known: string, onChange: () => void): { close(): void } {
  let told = known;
  let before = known;
  const look = async (): Promise<void> => {
    const now = await resourcesFingerprint(dir);
    if (now !== told && now === before) {
      told = now;
      onChange();
    }
    before = now;
  };
  let timer: NodeJS.Timeout;
  let closed = false;
  const next = (pauseMs: number): void => {
    timer = setTimeout(() => {
      const startedMs = performance.now();
      void look().then(() => {
        if (!closed) next(Math.max(LOOK_EVERY_MS, (performance.now() - startedMs) * REST_FACTOR));
      });
    }, pauseMs);
  };
  next(LOOK_EVERY_MS);
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };
}

/** Stands for names, times and sizes of the files; what can't be read counts as not there: the reload then says why. */
export async function resourcesFingerprint(dir: string): Promise<string> {
  const hash = createHash('sha256');
  for (const path of await listConfigFiles(dir, [])) {
    const found = await stat(path).catch(() => undefined);
    hash.update(JSON.stringify([path, found?.mtimeMs, found?.size, found?.ino]));
  }
  return hash.digest('hex');
}
