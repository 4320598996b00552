import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TokenStore } from '../../src/identity/token-store.js';
import { isNearEnd } from '../../src/identity/token-set.js';
import type { TokenSet } from '../../src/identity/token-set.js';

const HERE = { profile: 'default', agentUrl: 'https://a.example.com' };
const TOKENS: TokenSet = {
  accessToken: 'planted-access',
  refreshToken: 'planted-refresh',
  obtainedAt: 1000,
  expiresAt: 1600,
  issuer: 'https://id.example.com',
  clientId: 'hoop-cli',
  audience: 'hoop',
};

let folder: string;
let said: string[];

/** A keychain in memory; it may be made to refuse, as a locked one does. */
function memoryKeychain(): { readonly entries: Map<string, string>; refuse: boolean } & ConstructorParameters<
  typeof TokenStore
>[0]['keychain'] {
  const entries = new Map<string, string>();
  const chain = {
    entries,
    refuse: false,
    check(): void {
      if (chain.refuse) throw new Error('locked');
    },
    read: async (account: string) => (chain.check(), entries.get(account)),
    write: async (account: string, secret: string) => (chain.check(), void entries.set(account, secret)),
    erase: async (account: string) => (chain.check(), void entries.delete(account)),
  };
  return chain;
}

function open(keychain: ReturnType<typeof memoryKeychain>, env: Record<string, string> = {}): TokenStore {
  return new TokenStore({ folder, env, keychain, say: (text) => said.push(text) });
}

function onlyFile(): string {
  const names = readdirSync(join(folder, 'logins'));
  expect(names).toHaveLength(1);
  return join(folder, 'logins', names[0] as string);
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hoop-store-'));
  said = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a login', () => {
  it('is kept in the keychain, with nothing of its tokens on disk', async () => {
    const chain = memoryKeychain();
    await open(chain).write(HERE, TOKENS);
    expect(await open(chain).read(HERE)).toEqual(TOKENS);
    expect(readFileSync(onlyFile(), 'utf8')).not.toContain('planted');
    expect(said).toEqual([]);
    await open(chain).erase(HERE);
    expect([chain.entries.size, readdirSync(join(folder, 'logins')), await open(chain).read(HERE)]).toEqual([
      0,
      [],
      undefined,
    ]);
  });

  it.each([
    ['HOOP_KEYRING=file', { HOOP_KEYRING: 'file' }, false],
    ['a keychain that refuses', {}, true],
  ] as const)('is kept in a 0600 file with %s, which is said once', async (_name, env, refuse) => {
    const chain = memoryKeychain();
    chain.refuse = refuse;
    await open(chain, env).write(HERE, TOKENS);
    await open(chain, env).write(HERE, { ...TOKENS, accessToken: 'next' });
    expect(await open(chain, env).read(HERE)).toEqual({ ...TOKENS, accessToken: 'next' });
    expect(statSync(onlyFile()).mode & 0o777).toBe(0o600);
    expect(said).toEqual([expect.stringContaining('(0600)')]);
    expect(chain.entries.size).toBe(0);
  });

  it('in a keychain that gives nothing out is not_logged_in, exit status 3', async () => {
    const chain = memoryKeychain();
    await open(chain).write(HERE, TOKENS);
    chain.refuse = true;
    await expect(open(chain).read(HERE)).rejects.toMatchObject({ code: 'not_logged_in', exitStatus: 3 });
    await expect(open(chain, { HOOP_KEYRING: 'file' }).read(HERE)).rejects.toMatchObject({ code: 'not_logged_in' });
  });

  it('of one profile and agent is not that of another', async () => {
    const store = open(memoryKeychain(), { HOOP_KEYRING: 'file' });
    await store.write(HERE, TOKENS);
    expect(await store.read({ ...HERE, profile: 'other' })).toBeUndefined();
    expect(await store.read({ ...HERE, agentUrl: 'https://a.example.com:444' })).toBeUndefined();
    await store.write({ ...HERE, profile: 'other' }, TOKENS);
    expect(
      store
        .list()
        .map(({ profile }) => profile)
        .sort(),
    ).toEqual(['default', 'other']);
  });

  it('in a file that others may read, behind a link, or damaged is refused, and its text not told', async () => {
    const store = open(memoryKeychain(), { HOOP_KEYRING: 'file' });
    await store.write(HERE, TOKENS);
    const path = onlyFile();
    chmodSync(path, 0o640);
    await expect(store.read(HERE)).rejects.toMatchObject({ code: 'config_invalid' });
    const text = readFileSync(path, 'utf8');
    for (const damaged of [
      text.slice(0, -20),
      text.replace('"file"', '"elsewhere"'),
      text.replace('1600', '"soon"'),
      'null',
    ]) {
      writeFileSync(path, damaged);
      chmodSync(path, 0o600);
      const error = await store.read(HERE).catch((thrown: unknown) => thrown as Error);
      expect(error).toMatchObject({ code: 'config_invalid' });
      expect(JSON.stringify(error) + String((error as Error).message)).not.toContain('planted');
    }
    rmSync(path);
    writeFileSync(join(folder, 'elsewhere'), text, { mode: 0o600 });
    symlinkSync(join(folder, 'elsewhere'), path);
    await expect(store.read(HERE)).rejects.toMatchObject({ code: 'config_invalid' });
    await expect(store.write(HERE, TOKENS)).rejects.toMatchObject({ code: 'config_invalid' });
    expect(existsSync(join(folder, 'elsewhere'))).toBe(true);
  });
});

describe('a token set nears its end', () => {
  it.each([
    [600, 539, false],
    [600, 540, true],
    [20, 15, false],
    [20, 16, true],
  ])('with a life of %i s after %i s: %s', (life, after, near) => {
    expect(isNearEnd({ obtainedAt: 1000, expiresAt: 1000 + life }, 1000 + after)).toBe(near);
  });

  it('refuses a misspelt HOOP_KEYRING instead of keeping tokens elsewhere than meant', () => {
    const open = (said: string): TokenStore =>
      new TokenStore({ folder, env: { HOOP_KEYRING: said }, say: () => undefined, keychain: memoryKeychain() });
    expect(() => open('fil')).toThrow('HOOP_KEYRING is fil');
    expect(() => open('keychain')).not.toThrow();
  });
});
