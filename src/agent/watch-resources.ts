import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const LOOK_EVERY_MS = 1_000;
const RESOURCE_FILE = /\.ya?ml$/;

/**
 * Tells of changed, new and removed resource files below a folder, once they have been still for one
 * look: an editor or a checkout that is writing is waited for. Looks at names, times and sizes each
 * second; the kernel's notices are lost on network and container file systems.
 */
export function watchResources(dir: string, onChange: () => void): { close(): void } {
  let told: string | undefined;
  let before: string | undefined;
  let looking = false;
  const look = async (): Promise<void> => {
    const now = await fingerprint(dir);
    told ??= now;
    if (now !== told && now === before) {
      told = now;
      onChange();
    }
    before = now;
  };
  const tick = (): void => {
    if (looking) return;
    looking = true;
    void look().finally(() => {
      looking = false;
    });
  };
  tick();
  const timer = setInterval(tick, LOOK_EVERY_MS);
  return {
    close: () => {
      clearInterval(timer);
    },
  };
}

/** What can't be read counts as not there: the reload then says why. */
async function fingerprint(dir: string): Promise<string> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.map((entry) => join(entry.parentPath, entry.name)).filter((path) => RESOURCE_FILE.test(path));
  const hash = createHash('sha256');
  for (const path of files.sort()) {
    const found = await stat(path).catch(() => undefined);
    hash.update(JSON.stringify([path, found?.mtimeMs, found?.size, found?.ino]));
  }
  return hash.digest('hex');
}
