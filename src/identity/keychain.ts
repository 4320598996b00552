import type { AsyncEntry, EntryOptions } from 'keytar';

const SERVICE = 'hoop';
/** Time for a person to unlock the keychain. */
const TIMEOUT_MS = 60_000;

/**
 * Only the Secret Service: left to choose, the library falls back to the kernel's keyring, which
 * forgets at reboot and which other programs of the session read.
 */
const OPTIONS: EntryOptions = { linux: { store: 'secret-service' } };

/** The operating system's keychain. Every method rejects where there is none, or where it stays locked. */
export const keychain = {
  async read(account: string): Promise<string | undefined> {
    return (await (await entry(account)).getPassword(AbortSignal.timeout(TIMEOUT_MS))) ?? undefined;
  },
  async write(account: string, secret: string): Promise<void> {
    await (await entry(account)).setPassword(secret, AbortSignal.timeout(TIMEOUT_MS));
  },
  async erase(account: string): Promise<void> {
    await (await entry(account)).deletePassword(AbortSignal.timeout(TIMEOUT_MS));
  },
};

export type Keychain = typeof keychain;

async function entry(account: string): Promise<AsyncEntry> {
  // An optional dependency: absent where npm found no build of it for the platform.
  const library = await import('keytar');
  return new library.AsyncEntry(SERVICE, account, OPTIONS);
}
