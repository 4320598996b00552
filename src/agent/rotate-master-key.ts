import { randomBytes } from 'node:crypto';
import { copyFile, open, rename, rm } from 'node:fs/promises';
import { HoopError } from '../core/errors.js';
import { loadMasterKey, parseMasterKey } from '../secrets/master-key.js';
import { createSecretResolver } from '../secrets/resolver.js';
import { readSecretFile } from '../secrets/secret-file.js';
import { openStore, type Store } from '../store/store.js';
import { LiveResources } from './live-resources.js';

const KEY_BYTES = 32;

export interface MasterKeyRotation {
  /** Keys and secrets that were sealed anew. */
  readonly resealed: number;
  /** The key file that was replaced, and where the old key is; undefined where the key is kept elsewhere. */
  readonly replaced: { readonly file: string; readonly old: string } | undefined;
}

/**
 * Seals the agent's store under another master key, while the agent is stopped: the store's lock says so.
 *
 * Where the key is in a file, that file is replaced and the old key kept beside it as `FILE.old`, for backups of the
 * store. The new one is on disk before the store needs it: where this is broken off in between, `FILE.new` is it.
 *
 * @param options.newKeyFile the new key; left out: a fresh one, where the present key is in a file
 * @throws HoopError `config_invalid`, `usage`
 */
export async function rotateMasterKey(options: {
  readonly dir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly newKeyFile: string | undefined;
  readonly warn: (message: string) => void;
}): Promise<MasterKeyRotation> {
  const { env, warn, newKeyFile } = options;
  const { agent } = await LiveResources.load(options.dir, env);
  const resolve = createSecretResolver({ env, readFile: readSecretFile, warn });
  const masterKey = await loadMasterKey(resolve, agent.masterKey);
  const file = 'file' in agent.masterKey ? agent.masterKey.file : undefined;
  if (file === undefined && newKeyFile === undefined)
    throw new HoopError('usage', 'the master key is not in a file: where is the new one?', {
      suggestion: 'name a file that holds it with --new-key, and change the key at its source afterwards',
    });
  const next = newKeyFile === undefined ? randomBytes(KEY_BYTES).toString('base64') : await keyIn(newKeyFile, resolve);
  const store = openStore({ path: agent.store.path, masterKey });
  try {
    if (file === undefined) return { resealed: store.rewrap(parseMasterKey(next)), replaced: undefined };
    await writeNew(`${file}.new`, `${next}\n`);
    const resealed = await rewrapOr(store, next, () => rm(`${file}.new`));
    const old = `${file}.old`;
    await copyFile(file, old);
    await rename(`${file}.new`, file);
    return { resealed, replaced: { file, old } };
  } finally {
    store.close();
  }
}

/** All or nothing: where it fails, nothing needs the new key. */
async function rewrapOr(store: Store, next: string, undo: () => Promise<void>): Promise<number> {
  try {
    return store.rewrap(parseMasterKey(next));
  } catch (error) {
    await undo();
    throw error;
  }
}

async function keyIn(file: string, resolve: ReturnType<typeof createSecretResolver>): Promise<string> {
  const text = (await resolve({ file })).reveal();
  parseMasterKey(text);
  return text;
}

/** @throws HoopError `usage` where the file is there: it may be a key that is still needed */
async function writeNew(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600).catch((error: unknown) => {
    throw new HoopError('usage', 'the file for the new master key can not be made', {
      why: path,
      suggestion: 'if a rotation was broken off, it may hold the key that the store needs: try it as the master key',
      cause: error,
    });
  });
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
