import { readFileSync } from 'node:fs';

/** The version of this package; its `package.json` stands above both `src` and `dist/src`. */
export const VERSION: string = readVersion();

function readVersion(): string {
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      const parsed = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (parsed.name === 'hoop' && parsed.version !== undefined) return parsed.version;
    } catch {
      // Not at this height: try the next.
    }
  }
  return 'unknown';
}
