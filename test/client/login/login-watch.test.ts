import { beforeEach, describe, expect, it } from 'vitest';
import { loginEnded } from '../../../src/client/login/login-watch.js';
import type { TokenSet } from '../../../src/identity/token-set.js';
import { TokenStore } from '../../../src/identity/token-store.js';
import { makeFolder } from '../../support/folders.js';

let folder: string;
let store: TokenStore;
const ended = new AbortController();
const place = () => ({
  folder,
  profile: 'default',
  agentUrl: 'https://agent.example.com',
  env: { HOOP_KEYRING: 'file' },
});
const tokens: TokenSet = {
  ...{
    accessToken: 'a',
    obtainedAt: 0,
    expiresAt: 1,
    issuer: 'https://id.example.com',
    clientId: 'c',
    audience: 'hoop',
  },
};

beforeEach(() => {
  folder = makeFolder('watch');
  store = new TokenStore({ ...place(), say: () => undefined });
});

/** Has it resolved, once so many looks have been taken? */
async function endedAfter(looks: number, between: (look: number) => Promise<void> | void): Promise<boolean> {
  let taken = 0;
  let over = false;
  const counted = {
    changedAt: (where: Parameters<TokenStore['changedAt']>[0]) => {
      taken += 1;
      return store.changedAt(where);
    },
  };
  void loginEnded(counted, place(), ended.signal, 1).then(() => (over = true));
  for (let seen = 0; seen < looks && !over; await new Promise((resolve) => setImmediate(resolve))) {
    if (taken === seen) continue;
    seen = taken;
    await between(seen);
  }
  return over;
}

describe('watching a login', () => {
  it('ends once it is erased, and not by being written anew', async () => {
    await store.write(place(), tokens);
    expect(await endedAfter(4, () => store.write(place(), tokens))).toBe(false);
    expect(await endedAfter(50, (look) => (look === 3 ? store.erase(place()) : undefined))).toBe(true);
  });

  it('goes on over one look in which the login is just being written', async () => {
    await store.write(place(), tokens);
    const between = async (look: number): Promise<void> => {
      if (look === 2) await store.erase(place());
      else if (look === 3) await store.write(place(), tokens);
    };
    expect(await endedAfter(8, between)).toBe(false);
  });

  it('never ends where there was none', async () => {
    expect(await endedAfter(1, () => undefined)).toBe(false);
  });
});
