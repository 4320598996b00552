import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { HoopError } from '../../core/errors.js';
import { loadMasterKey, parseMasterKey } from '../../secrets/master-key.js';
import { createSecretResolver } from '../../secrets/resolver.js';
import { readSecretFile } from '../../secrets/secret-file.js';
import { openStore, type Store } from '../../store/store.js';
import { LiveResources } from '../resources/live-resources.js';

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
 * Where the key is in a file, that file is replaced and the old key kept beside it as `FILE.old`, `FILE.old.2`, … of
 * each rotation one, for backups of the store. Both are on disk before the store needs the new one: where this is broken
 * off in between, `FILE.new` is it.
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
    const old = await keepOld(file, await readFile(file)).catch(async (error: unknown) => {
      await rm(`${file}.new`);
      throw error;
    });
    const resealed = await rewrapOr(store, next, async () => {
      await rm(old);
      await rm(`${file}.new`);
    });
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
  try {
    await writeOnce(path, text);
  } catch (cause) {
    throw new HoopError('usage', 'the file for the new master key can not be made', {
      why: path,
      suggestion: 'if a rotation was broken off, it may hold the key that the store needs: try it as the master key',
      cause,
    });
  }
}

/** The first free name: a backup may need the key of any rotation before. @returns where it is */
async function keepOld(file: string, key: Uint8Array): Promise<string> {
  for (let rotation = 1; ; rotation += 1) {
    const old = rotation === 1 ? `${file}.old` : `${file}.old.${String(rotation)}`;
    try {
      await writeOnce(old, key);
      return old;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw new HoopError('failed', 'the old master key can not be kept: nothing was changed', { why: old, cause });
    }
  }
}

/** Writes a file that is not there yet, on disk when this resolves; one that can't be written whole is removed. */
async function writeOnce(path: string, content: string | Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } catch (error) {
    await rm(path);
    throw error;
  } finally {
    await file.close();
  }
}
