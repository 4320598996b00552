import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every whole line of every recording below a folder, as it stands at this moment. */
export function recordedEvents(folder: string): readonly Record<string, unknown>[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ndjson'))
    .flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n'))
    .flatMap((line) => (line.endsWith('}') ? [JSON.parse(line) as Record<string, unknown>] : []));
}
