import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { HoopError } from '../../core/errors.js';
import { readPrivateFile, writePrivateFile } from '../../identity/private-file.js';
import { parsePublicKeys } from '../../recording/keys.js';
import type { RecordingPublicKey } from '../../recording/keys.js';

/** In the configuration folder: by agent address, the keys it showed when it was first asked. */
const PINS = 'recording-keys.json';

type Pins = Readonly<Record<string, readonly RecordingPublicKey[]>>;

/**
 * The public keys in a file that the user names.
 *
 * @throws HoopError `usage`
 */
export async function keysOfFile(path: string): Promise<readonly RecordingPublicKey[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new HoopError('usage', 'the key file can not be read', { cause });
  }
  return parsePublicKeys(text);
}

/** The keys pinned for an agent; undefined where it was never asked. */
export function pinnedKeys(folder: string, agentUrl: string): readonly RecordingPublicKey[] | undefined {
  const pins = readPins(folder);
  return Object.hasOwn(pins, agentUrl) ? pins[agentUrl] : undefined;
}

/**
 * Holds what an agent shows against what was pinned, and pins it the first time.
 *
 * @throws HoopError `verify_failed` when the agent shows other keys than before: a key that comes
 *   later must be confirmed by a person, for who can change recordings could also show a new key
 */
export function pinKeys(
  folder: string,
  agentUrl: string,
  shown: readonly { readonly publicKey: string }[],
): readonly RecordingPublicKey[] {
  const keys = parsePublicKeys(JSON.stringify(shown));
  const pinned = pinnedKeys(folder, agentUrl);
  if (pinned === undefined) {
    writePrivateFile(join(folder, PINS), `${JSON.stringify({ ...readPins(folder), [agentUrl]: keys }, null, 2)}\n`);
    return keys;
  }
  if (fingerprint(pinned) === fingerprint(keys)) return pinned;
  throw new HoopError('verify_failed', 'the agent shows another recording key than before', {
    why: `pinned ${fingerprint(pinned)}, shown ${fingerprint(keys)}`,
    suggestion: `if whoever runs the agent confirms the new key, remove the agent from ${join(folder, PINS)}; until then verify with --key FILE`,
  });
}

function fingerprint(keys: readonly RecordingPublicKey[]): string {
  return keys
    .map(({ keyId }) => keyId)
    .sort()
    .join(', ');
}

function readPins(folder: string): Pins {
  const path = join(folder, PINS);
  const text = readPrivateFile(path);
  if (text === undefined) return {};
  try {
    const pins = JSON.parse(text) as Readonly<Record<string, unknown>>;
    return Object.fromEntries(
      Object.entries(pins).map(([agent, keys]) => [agent, parsePublicKeys(JSON.stringify(keys))]),
    );
  } catch (cause) {
    throw new HoopError('config_invalid', `${path} does not hold what hoop writes there`, {
      suggestion: `correct or remove ${path}`,
      cause,
    });
  }
}
