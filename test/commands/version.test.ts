import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { agentVersion } from '../../src/client/agent-version.js';
import { buildCli, runHoop } from '../support/built-cli.js';
import { freePort } from '../support/postgres-server.js';
import { makeFolder } from '../support/folders.js';

const folder = makeFolder('version');
beforeAll(buildCli);

/** Something that says of itself what an agent of this version says. */
async function withAgent<T>(version: string, use: (url: string) => Promise<T>): Promise<T> {
  const wellKnown = { version, issuer: 'i', audience: 'a', clientId: 'c', scopes: [], recordingKeys: [] };
  const server = createServer((_request, response) => response.end(JSON.stringify(wellKnown)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await use(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
  } finally {
    server.close();
  }
}

describe('hoop version', () => {
  it.each([
    ['0.1.0', 'the same'],
    ['0.0.10', 'older'],
    ['0.2.0', 'newer'],
    ['1.0.0-rc.1', 'newer'],
    ['0.1.0-rc.1', null],
    ['custom', null],
  ])('compares an agent %s with 0.1.0: %s', async (version, is) => {
    await withAgent(version, async (url) => {
      expect(await agentVersion(url, '0.1.0', undefined)).toEqual({ url, version, is });
    });
  });

  it('prints its own version and the agent’s, and how they differ', async () => {
    await withAgent('99.0.0', async (url) => {
      const env = { HOOP_CONFIG_DIR: folder, HOOP_AGENT_URL: url };
      const { status, stdout } = await runHoop(['version'], env);
      expect([status, stdout.split('\n')]).toEqual([
        0,
        [expect.stringMatching(/^hoop \d/), `agent 99.0.0 at ${url} (newer)`, ''],
      ]);
      const json = JSON.parse((await runHoop(['version', '--json'], env)).stdout);
      expect(json.agent).toEqual({ url, version: '99.0.0', is: 'newer' });
    });
  });

  it('asks no agent with --client, and needs none', async () => {
    const url = `http://127.0.0.1:${String(await freePort())}`;
    const { stdout, stderr } = await runHoop(['version', '--client'], { HOOP_AGENT_URL: url, HOOP_CONFIG_DIR: folder });
    expect([stdout.split('\n').length, stderr]).toEqual([2, '']);
    const alone = await runHoop(['version', '--json'], { HOOP_CONFIG_DIR: folder });
    expect([alone.status, JSON.parse(alone.stdout).agent]).toEqual([0, null]);
  });

  it('says that the agent does not answer, and is no failure for it', async () => {
    const url = `http://127.0.0.1:${String(await freePort())}`;
    const { status, stdout, stderr } = await runHoop(['version'], { HOOP_AGENT_URL: url, HOOP_CONFIG_DIR: folder });
    expect([status, stderr]).toEqual([0, `agent at ${url}: the agent does not answer\n`]);
    expect(stdout).toMatch(/^hoop \d/);
  });

  it('answers --version at once, as one line', async () => {
    const { stdout } = await runHoop(['--version'], {});
    expect(stdout).toBe(`hoop/0.1.0 ${process.platform}-${process.arch} node-${process.version}\n`);
  });
});
