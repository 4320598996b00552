import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { guard, type GuardedProcess } from '../../../test/support/guarded-process.js';
import { serverAccount } from '../../../test/support/postgres-programs.js';
import { freePort, type PostgresServer } from '../../../test/support/postgres-server.js';
import type { Missing, Target } from './target.js';

/** Daemons are often not on a user's path. */
const programs = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
const find = (name: string): string | undefined =>
  programs.map((folder) => join(folder, name)).find((path) => existsSync(path));

export function direct(server: PostgresServer): Target {
  return { name: 'direct', port: server.port, password: server.app.password, stop: async () => undefined };
}

/** One process that forwards bytes of sessions and knows the protocol. */
export async function pgbouncer(server: PostgresServer, database: string): Promise<Target | Missing> {
  const name = 'pgbouncer';
  const program = find('pgbouncer');
  const account = serverAccount();
  if (program === undefined || account === undefined) return { name, missing: 'pgbouncer is not installed' };
  const folder = mkdtempSync(join(tmpdir(), 'hoop-bench-'));
  const port = await freePort();
  const file = join(folder, 'pgbouncer.ini');
  const upstream = `host=127.0.0.1 port=${String(server.port)} dbname=${database}`;
  writeFileSync(
    file,
    `[databases]
${database} = ${upstream} user=${server.app.username} password=${server.app.password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${String(port)}
unix_socket_dir =
auth_type = any
pool_mode = session
default_pool_size = 64
`,
    { mode: 0o600 },
  );
  for (const path of [folder, file])
    if (account.uid !== undefined && account.gid !== undefined) chownSync(path, account.uid, account.gid);
  const child = guard([program, file], { account, folder });
  await child.outputMatching(/process up/);
  return { name, port, password: '', stop: () => child.stop() };
}

/** The same way as hoop's, TCP to WebSocket to TCP in two processes of Node, without anything that hoop does on it. */
export async function bareRelay(server: PostgresServer): Promise<Target> {
  const program = fileURLToPath(new URL('bare-relay.mjs', import.meta.url));
  const network = guard([process.execPath, program, 'network', String(server.port)]);
  const laptop = guard([process.execPath, program, 'laptop', String(await printedPort(network))]);
  const port = await printedPort(laptop);
  const stop = async (): Promise<void> => {
    await laptop.stop();
    await network.stop();
  };
  return { name: 'bare relay', port, password: server.app.password, stop };
}

async function printedPort(child: GuardedProcess): Promise<number> {
  await child.outputMatching(/port \d+\n/);
  return Number(/port (\d+)\n/.exec(child.output())?.[1]);
}

/** What people use today: a forwarded port, encrypted, on loopback here. */
export async function sshForward(server: PostgresServer): Promise<Target | Missing> {
  const name = 'ssh -L';
  const [daemon, client, keygen] = [find('sshd'), find('ssh'), find('ssh-keygen')];
  if (daemon === undefined || client === undefined || keygen === undefined)
    return { name, missing: 'the OpenSSH server is not installed' };
  if (process.getuid?.() === 0 && !existsSync('/run/sshd')) return { name, missing: 'sshd lacks its folder /run/sshd' };
  const folder = mkdtempSync(join(tmpdir(), 'hoop-bench-'));
  const file = (each: string): string => join(folder, each);
  for (const key of ['host', 'user']) execFileSync(keygen, ['-q', '-t', 'ed25519', '-N', '', '-f', file(key)]);
  writeFileSync(file('authorized'), readFileSync(file('user.pub')));
  chmodSync(file('authorized'), 0o600);
  const [sshPort, port] = [await freePort(), await freePort()];
  const settings = {
    ListenAddress: `127.0.0.1:${String(sshPort)}`,
    HostKey: file('host'),
    AuthorizedKeysFile: file('authorized'),
    PidFile: 'none',
    StrictModes: 'no',
    UsePAM: 'no',
    PasswordAuthentication: 'no',
    PermitRootLogin: 'prohibit-password',
  };
  writeFileSync(
    file('sshd.conf'),
    Object.entries(settings)
      .map(([key, value]) => `${key} ${value}\n`)
      .join(''),
  );
  const sshd = guard([daemon, '-D', '-e', '-f', file('sshd.conf')], { folder });
  await sshd.outputMatching(/Server listening/);
  const known = [
    '-o',
    'StrictHostKeyChecking=no',
    '-o',
    'UserKnownHostsFile=/dev/null',
    '-o',
    'ExitOnForwardFailure=yes',
  ];
  const forward = [
    '-N',
    '-v',
    '-F',
    'none',
    '-i',
    file('user'),
    '-p',
    String(sshPort),
    '-L',
    `${String(port)}:127.0.0.1:${String(server.port)}`,
  ];
  const ssh = guard([client, ...known, ...forward, `${userInfo().username}@127.0.0.1`]);
  await ssh.outputMatching(/Local forwarding listening|Entering interactive session/);
  const stop = async (): Promise<void> => {
    await ssh.stop();
    await sshd.stop();
  };
  return { name, port, password: server.app.password, stop };
}
