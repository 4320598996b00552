import { execFileSync, spawn } from 'node:child_process';
import type { SpawnOptions } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TunnelEndpoint } from '../client/tunnel-pair.js';
import { buildCli, startHoop, type Running } from '../support/built-cli.js';
import { missingPostgres } from '../support/postgres-server.js';
import { until } from '../support/until.js';
import { makeFolder } from '../support/folders.js';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
/** Says what a connection gives, or how it fails; what is sent stands in the second argument, base64. */
const STRANGER = `
const socket = require('node:net').connect(JSON.parse(process.argv[1]), () => socket.write(Buffer.from(process.argv[2], 'base64')));
const parts = [];
socket.on('data', (part) => parts.push(part)).on('error', (error) => { console.log(error.code); process.exit(); });
socket.on('close', () => { process.stdout.write(Buffer.concat(parts)); });
setTimeout(() => process.exit(9), 15_000).unref();
`;
const STARTUP = Buffer.concat([
  Buffer.from([0, 0, 0, 19, 0, 3, 0, 0]),
  Buffer.from('user\\0any\\0\\0'.replaceAll('\\0', '\0')),
]);
const REQUEST = Buffer.from('GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');

describe.runIf(isRoot)('a second user of this machine (needs root, to be two)', () => {
  const nobody = isRoot ? Number(execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' })) : 0;
  let agent: TunnelEndpoint;
  let folder: string;
  let env: Record<string, string>;
  /** What has arrived at the agent's end. */
  let arrived: Buffer[];
  const running: Running[] = [];

  beforeAll(buildCli);

  beforeEach(async () => {
    agent = await TunnelEndpoint.open();
    arrived = [];
    agent.onStream((stream) => {
      stream.onData((bytes) => {
        arrived.push(Buffer.from(bytes));
        stream.destroy();
      });
      stream.onDrain(() => undefined);
      stream.onEnd(() => {
        stream.end();
      });
      stream.onClose(() => undefined);
    });
    folder = makeFolder('second');
    // The other user may look around in it: what protects is the port's, not the folder's.
    chmodSync(folder, 0o755);
    env = { HOOP_CONFIG_DIR: join(folder, 'config'), HOOP_AGENT_URL: agent.url, HOOP_TOKEN: 'token' };
  });

  afterEach(async () => {
    for (const { child, finished } of running.splice(0)) {
      // Passed on to the command that it runs.
      child.kill('SIGTERM');
      await finished;
    }
    await agent.close();
  });

  async function listening(...args: string[]): Promise<Record<string, unknown>> {
    const started = startHoop(['connect', ...args, '--json'], env);
    running.push(started);
    const [line] = await started.printed(/^.*\n/);
    return JSON.parse(line) as Record<string, unknown>;
  }

  /** As the other user; the agent's end is in this process, so nothing may wait here. */
  const theirs: SpawnOptions = { uid: nobody, gid: nobody, cwd: '/' };

  function stranger(place: object, bytes: Buffer): Promise<string> {
    return output(process.execPath, ['-e', STRANGER, JSON.stringify(place), bytes.toString('base64')], {}, theirs);
  }

  /** psql, of the other user where not told; gives what it says. */
  function psql(port: number, password: string | undefined, options: SpawnOptions = theirs): Promise<string> {
    const given = { PGSSLMODE: 'disable', PGHOST: '127.0.0.1', PGPORT: String(port) };
    const env = password === undefined ? given : { ...given, PGPASSWORD: password };
    return output('psql', ['-w', '-U', 'any', '-d', 'any', '-c', 'select 1'], env, options);
  }

  it('is refused by a database port with 28000, and nothing of theirs arrives', async () => {
    const { port } = await listening('postgres');
    const answer = await stranger({ host: '127.0.0.1', port }, STARTUP);
    expect(answer).toContain('28000');
    expect(answer).toContain(`runs as another user (uid ${String(nobody)})`);
    expect(arrived).toEqual([]);
  });

  it('is refused by an HTTP port with 403, and nothing of theirs arrives', async () => {
    const { port } = await listening('web');
    expect(await stranger({ host: '127.0.0.1', port }, REQUEST)).toMatch(/^HTTP\/1\.1 403 /);
    expect(arrived).toEqual([]);
  });

  it('can not open the file of --socket, which is its owner’s alone', async () => {
    const path = join(folder, '.s.PGSQL.5432');
    await listening('postgres', '--socket', path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await stranger({ path }, STARTUP)).toBe('EACCES\n');
    expect(arrived).toEqual([]);
  });

  it.skipIf(missingPostgres() !== undefined)(
    'uses a port of --password with its password, and with no other: there it is what was asked for',
    async () => {
      const line = await listening('postgres', '--password');
      const port = line['port'] as number;
      expect(await psql(port, 'another')).toContain('the password is not the one of this port');
      expect(await psql(port, undefined)).toContain('password');
      expect(arrived).toEqual([]);
      await psql(port, (line['env'] as { PGPASSWORD: string }).PGPASSWORD);
      expect(Buffer.concat(arrived).toString('latin1')).toContain('user\0any');
    },
  );

  it.skipIf(missingPostgres() !== undefined)(
    'is refused by the port of a command even with its password, and so is its owner without',
    async () => {
      const told = join(folder, 'told');
      const script = `require('node:fs').writeFileSync(process.argv[1], JSON.stringify([process.env.PGPORT, process.env.PGPASSWORD]), { mode: 0o600 }); setInterval(() => 0, 1000)`;
      running.push(startHoop(['exec', 'postgres', '--', process.execPath, '-e', script, told], env));
      await until('the command has its port', () => existsSync(told) && readFileSync(told, 'utf8').endsWith(']'));
      const [port = '', password = ''] = JSON.parse(readFileSync(told, 'utf8')) as [string, string];
      expect(await psql(Number(port), password)).toContain('runs as another user');
      expect(await psql(Number(port), undefined, {})).toContain('password');
      expect(arrived).toEqual([]);
    },
  );
});

/** What a program says on both its streams. */
function output(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  options: SpawnOptions,
): Promise<string> {
  const child = spawn(command, [...args], { ...options, env: { PATH: process.env['PATH'], ...env } });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('latin1').on('data', (part: string) => (text += part));
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', () => {
      resolve(text);
    });
  });
}
