import { chmod, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import type { SecretRef } from '../../src/core/resources.js';
import { loadMasterKey } from '../../src/secrets/master-key.js';
import { createSecretResolver } from '../../src/secrets/resolver.js';
import { readSecretFile } from '../../src/secrets/secret-file.js';
import { Secret } from '../../src/secrets/secret.js';
import { makeFolder } from '../support/folders.js';

let dir = '';
beforeAll(async () => {
  dir = makeFolder('secrets');
});

async function file(name: string, text: string, mode = 0o600): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

function resolver(env: Record<string, string> = {}) {
  const warnings: string[] = [];
  return {
    warnings,
    resolve: createSecretResolver({ env, readFile: readSecretFile, warn: (message) => warnings.push(message) }),
  };
}

async function value(ref: SecretRef, env: Record<string, string> = {}): Promise<string> {
  return (await resolver(env).resolve(ref)).reveal();
}

describe('a secret', () => {
  it('comes from the environment, its prefix before it', async () => {
    expect(await value({ env: 'PW', prefix: 'Bearer ' }, { PW: 's3cret' })).toBe('Bearer s3cret');
  });

  it('comes from a file without 1 trailing line ending', async () => {
    expect(await value({ file: await file('one', 's3cret\n') })).toBe('s3cret');
    expect(await value({ file: await file('crlf', 's3cret\r\n') })).toBe('s3cret');
    expect(await value({ file: await file('two', 's3cret\n\n') })).toBe('s3cret\n');
    expect(await value({ file: await file('space', ' s3cret ') })).toBe(' s3cret ');
  });

  it.each([
    ['unset variable', { env: 'UNSET' }],
    ['missing file', { file: '/nonexistent/secret' }],
    ['folder', { file: tmpdir() }],
  ])('that is a %s is a fault of the configuration', async (_what, ref) => {
    await expect(value(ref)).rejects.toMatchObject({ code: 'config_invalid' });
  });

  it('that is empty or longer than 64 KiB is a fault of the configuration', async () => {
    await expect(value({ file: await file('empty', '\n') })).rejects.toMatchObject({ code: 'config_invalid' });
    await expect(value({ file: await file('long', 'x'.repeat(64 * 1024 + 1)) })).rejects.toMatchObject({
      code: 'config_invalid',
    });
  });

  it('of a store that is not open is a fault of the configuration', async () => {
    await expect(value({ secret: 'pg-admin' })).rejects.toMatchObject({
      code: 'config_invalid',
      message: 'the agent’s secret store is not open here',
    });
  });

  it('in a file of mode 0666 is refused; 0644 is warned of; 0600 is silent', async () => {
    await expect(value({ file: await file('open', 's3cret', 0o666) })).rejects.toMatchObject({
      code: 'config_invalid',
    });
    const { resolve, warnings } = resolver();
    const readable = await file('readable', 's3cret', 0o644);
    expect((await resolve({ file: readable })).reveal()).toBe('s3cret');
    expect(warnings).toEqual([`file ${readable} may be read by other users of the machine; chmod 600 it`]);
    await resolve({ file: await file('closed', 's3cret') });
    expect(warnings).toHaveLength(1);
  });

  it('is read anew each time: a rotated one is used at once', async () => {
    const path = await file('rotated', 'old');
    const { resolve } = resolver();
    expect((await resolve({ file: path })).reveal()).toBe('old');
    await writeFile(path, 'new');
    expect((await resolve({ file: path })).reveal()).toBe('new');
  });

  it('does not print by string, JSON, template or inspection, nested or not', () => {
    const secret = new Secret('s3cret');
    const printed = [
      String(secret),
      `${String(secret)}!`,
      JSON.stringify({ secret }),
      inspect(secret),
      inspect({ deep: { secret } }, { showHidden: true }),
    ];
    for (const text of printed) {
      expect(text).not.toContain('s3cret');
      expect(text).toContain('[secret]');
    }
  });
});

describe('the master key of a program', () => {
  const printed = (...command: string[]): Promise<Uint8Array> => loadMasterKey(resolver().resolve, { command });

  it('is what that prints, run without a shell', async () => {
    const key = Buffer.alloc(32, 7).toString('base64');
    expect(await printed('printf', '%s\\n', key)).toEqual(new Uint8Array(32).fill(7));
    await expect(printed(`printf ${key}`)).rejects.toMatchObject({ why: expect.stringContaining('ENOENT') as string });
  });

  it('is not repeated where it is none, or where the program fails', async () => {
    for (const command of [
      ['printf', 'planted'],
      ['sh', '-c', 'echo planted; echo planted >&2; exit 3'],
    ]) {
      const error: unknown = await printed(...command).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'config_invalid' });
      expect(inspect(error)).not.toContain('planted');
    }
  });
});

describe('the master key', () => {
  it('is 32 bytes as base64 on one line', async () => {
    const bytes = Uint8Array.from({ length: 32 }, (_, index) => index);
    const path = await file('master.key', `${Buffer.from(bytes).toString('base64')}\n`);
    expect(await loadMasterKey(resolver().resolve, { file: path })).toEqual(bytes);
  });

  it.each([
    ['31 bytes', Buffer.alloc(31).toString('base64')],
    ['33 bytes', Buffer.alloc(33).toString('base64')],
    ['hex', Buffer.alloc(32).toString('hex')],
    ['two lines', `${Buffer.alloc(32).toString('base64')}\n${Buffer.alloc(32).toString('base64')}`],
    ['base64url', Buffer.alloc(32, 0xff).toString('base64url')],
  ])('that is %s is refused without showing it', async (_what, text) => {
    const error: unknown = await loadMasterKey(resolver({ KEY: text }).resolve, { env: 'KEY' }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: 'config_invalid' });
    expect(inspect(error)).not.toContain(text);
  });
});
