// The operating system's keychain, for real: keeps a login in a Secret Service, reads it back, erases it. Run under a
// session bus with an unlocked keyring (Debian: dbus, gnome-keyring); scripts/conformance/keychain does that.
import { strict as assert } from 'node:assert';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TokenStore } from '../../src/identity/token-store.js';

const folder = mkdtempSync(join(tmpdir(), 'hoop-keychain-'));
const said: string[] = [];
const store = new TokenStore({ folder, env: {}, say: (line) => said.push(line) });
const where = { profile: 'keychain', agentUrl: 'https://agent.example.com' };
const tokens = {
  accessToken: 'planted-access',
  refreshToken: 'planted-refresh',
  obtainedAt: 1,
  expiresAt: 2,
  issuer: 'https://id.example.com',
  clientId: 'hoop-cli',
  audience: 'hoop',
};
try {
  await store.write(where, tokens);
  assert.deepEqual(said, [], 'the login was kept in a file: there is no unlocked keychain here');
  const files = readdirSync(join(folder, 'logins')).map((name) => readFileSync(join(folder, 'logins', name), 'utf8'));
  assert.equal(files.length, 1);
  assert.ok(!files.join('').includes('planted'), 'a token is on disk');
  assert.deepEqual(await store.read(where), tokens);
  await store.erase(where);
  assert.equal(await store.read(where), undefined);
  console.log('keychain: kept, read back and erased; no token on disk');
} finally {
  rmSync(folder, { recursive: true });
}
