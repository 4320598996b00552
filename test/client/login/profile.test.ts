import { chmodSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  configFolder,
  listProfiles,
  openProfile,
  parseAgentUrl,
  saveProfile,
} from '../../../src/client/login/profile.js';
import { makeFolder } from '../../support/folders.js';

let folder: string;
let env: Record<string, string>;

beforeEach(() => {
  folder = makeFolder('profile');
  env = { HOOP_CONFIG_DIR: folder };
});

describe('the configuration folder', () => {
  it('that can not be made is told as such, with what to set', () => {
    symlinkSync(join(folder, 'gone'), join(folder, 'link'));
    env = { HOOP_CONFIG_DIR: join(folder, 'link') };
    const profile = openProfile({ env, agent: 'http://127.0.0.1:1' });
    // A port is a convenience, a login is not.
    profile.rememberPort('postgres', 15_432);
    expect(profile.portFor('postgres')).toBeUndefined();
    expect(() => saveProfile(profile, env)).toThrow(
      expect.objectContaining({ code: 'config_invalid', suggestion: expect.stringContaining('HOOP_CONFIG_DIR') }),
    );
  });

  it('is HOOP_CONFIG_DIR, else where the platform keeps such things', () => {
    expect(configFolder({ HOOP_CONFIG_DIR: '/x' })).toBe('/x');
    expect(configFolder({ XDG_CONFIG_HOME: '/xdg' }, 'linux')).toBe('/xdg/hoop');
    expect(configFolder({ XDG_CONFIG_HOME: 'relative' }, 'linux')).toMatch(/\/\.config\/hoop$/);
    expect(configFolder({}, 'darwin')).toMatch(/Library\/Application Support\/hoop$/);
  });

  it('is made 0700, its files 0600', () => {
    env = { HOOP_CONFIG_DIR: join(folder, 'new') };
    saveProfile(openProfile({ env, agent: 'https://a.example.com' }), env);
    expect(statSync(join(folder, 'new')).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'new', 'profiles.json')).mode & 0o777).toBe(0o600);
  });

  it('is refused where others may write in it, and left as it is', () => {
    chmodSync(folder, 0o777);
    expect(() => saveProfile(openProfile({ env, agent: 'https://a.example.com' }), env)).toThrow(/open to other users/);
    expect(statSync(folder).mode & 0o777).toBe(0o777);
  });
});

describe('profiles', () => {
  it('keep an agent each; the first becomes the current one', () => {
    saveProfile(openProfile({ env, name: 'work', agent: 'https://a.example.com/' }), env);
    saveProfile(openProfile({ env, name: 'home', agent: 'http://127.0.0.1:8443' }), env);
    expect(openProfile({ env })).toMatchObject({ name: 'work', agentUrl: 'https://a.example.com' });
    expect(openProfile({ env, name: 'home' }).agentUrl).toBe('http://127.0.0.1:8443');
    expect(openProfile({ env, name: 'home', agent: 'https://b.example.com' }).agentUrl).toBe('https://b.example.com');
    expect(listProfiles(env)).toEqual([
      { name: 'home', agent: 'http://127.0.0.1:8443', current: false },
      { name: 'work', agent: 'https://a.example.com', current: true },
    ]);
  });

  it('without an agent are config_missing, exit status 2; also named like a part of every object', () => {
    for (const name of ['default', 'constructor', 'toString']) {
      expect(() => openProfile({ env, name })).toThrow(
        expect.objectContaining({ code: 'config_missing', exitStatus: 2 }) as Error,
      );
    }
  });

  it.each(['../x', '', '-x', 'a/b', 'a b', 'x'.repeat(65)])('do not take the name %j', (name) => {
    expect(() => openProfile({ env, name, agent: 'https://a.example.com' })).toThrow(/no name/);
  });

  it.each([
    ['no JSON', '{'],
    ['an unknown key', '{"current":"a","profiles":{},"extra":1}'],
    ['an agent that is no text', '{"current":"a","profiles":{"a":{"agent":7}}}'],
    ['an unknown key in a profile', '{"current":"a","profiles":{"a":{"agent":"https://x","token":"y"}}}'],
    ['a list', '[]'],
  ])('in a file with %s are refused by the file’s name', (_name, text) => {
    writeFileSync(join(folder, 'profiles.json'), text, { mode: 0o600 });
    expect(() => openProfile({ env })).toThrow(
      expect.objectContaining({
        code: 'config_invalid',
        message: expect.stringContaining('profiles.json') as string,
      }) as Error,
    );
  });

  it('in a file that others may read, or behind a symbolic link, are refused', () => {
    const path = join(folder, 'profiles.json');
    writeFileSync(path, '{"current":"a","profiles":{}}', { mode: 0o644 });
    chmodSync(path, 0o644);
    expect(() => openProfile({ env })).toThrow(/is not used/);
    rmSync(path);
    writeFileSync(join(folder, 'elsewhere'), '{"current":"a","profiles":{}}', { mode: 0o600 });
    symlinkSync(join(folder, 'elsewhere'), path);
    expect(() => openProfile({ env })).toThrow(/is not used/);
  });
});

describe('remembered ports', () => {
  it('are kept for each profile, agent and connection', () => {
    const one = openProfile({ env, agent: 'https://a.example.com' });
    expect(one.portFor('postgres')).toBeUndefined();
    one.rememberPort('postgres', 15_432);
    one.rememberPort('constructor', 15_433);
    openProfile({ env, agent: 'https://b.example.com' }).rememberPort('postgres', 20_000);
    openProfile({ env, name: 'other', agent: 'https://a.example.com' }).rememberPort('postgres', 20_001);
    const again = openProfile({ env, agent: 'https://a.example.com' });
    expect([again.portFor('postgres'), again.portFor('constructor'), again.portFor('toString')]).toEqual([
      15_432,
      15_433,
      undefined,
    ]);
  });

  it.each(['{"p":{"a":{"c":70000}}}', '{"p":{"a":{"c":"1"}}}', '{"p":7}', '[]', '{"p":{"a":7}}'])(
    'are refused in a file with %s',
    (text) => {
      writeFileSync(join(folder, 'ports.json'), text, { mode: 0o600 });
      expect(() => openProfile({ env, agent: 'https://a.example.com' }).portFor('c')).toThrow(/ports\.json/);
      expect(readFileSync(join(folder, 'ports.json'), 'utf8')).toBe(text);
    },
  );
});

describe('the address of an agent', () => {
  it.each([
    ['https://a.example.com', 'https://a.example.com'],
    ['HTTPS://A.example.com:443/', 'https://a.example.com'],
    ['https://a.example.com/hoop/', 'https://a.example.com/hoop'],
    ['http://localhost:8443', 'http://localhost:8443'],
    ['http://[::1]:8443', 'http://[::1]:8443'],
    ['http://127.8.8.8', 'http://127.8.8.8'],
  ])('%s reads as %s', (text, url) => expect(parseAgentUrl(text)).toBe(url));

  it.each([
    'a.example.com',
    'ftp://a',
    'https://u:p@a',
    'https://a/?x',
    'https://a/#x',
    'http://10.0.0.1',
    'http://127.0.0.1.evil.com',
    'http://0.0.0.0',
    '',
  ])('%j is refused as usage', (text) =>
    expect(() => parseAgentUrl(text)).toThrow(expect.objectContaining({ code: 'usage' }) as Error),
  );
});
