import { chownSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from './folders.js';
import { guard, type GuardedProcess } from './guarded-process.js';
import { findPostgres, runAs, serverAccount } from './postgres-programs.js';
import { freePort } from './postgres-server.js';

/** A real server that can be stopped and started again on its port, as `pg_ctl restart -m fast` does it. */
export interface RestartablePostgres {
  readonly port: number;
  /** Fast shutdown: sessions are ended with 57P01; resolves when the server has gone. */
  stopFast(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and removes its folder. */
  remove(): Promise<void>;
}

export async function restartablePostgres(): Promise<RestartablePostgres> {
  const binDir = findPostgres();
  const account = serverAccount();
  if (binDir === undefined || account === undefined) throw new Error('PostgreSQL is not installed');
  const folder = makeFolder('pg');
  if (account.uid !== undefined && account.gid !== undefined) chownSync(folder, account.uid, account.gid);
  const data = join(folder, 'data');
  await runAs(account, [join(binDir, 'initdb'), '-D', data, '-U', 'postgres', '--auth=trust', '--no-sync'], folder);
  const port = await freePort();
  const args = ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', folder, '-F'];
  let running: GuardedProcess | undefined;
  const start = async (): Promise<void> => {
    running = guard([join(binDir, 'postgres'), ...args], { account, signal: 'QUIT' });
    await running.outputMatching(/database system is ready to accept connections/);
  };
  await start();
  return {
    port,
    start,
    stopFast: async () => {
      await runAs(account, [join(binDir, 'pg_ctl'), 'stop', '-D', data, '-m', 'fast', '-w'], folder);
    },
    remove: async () => {
      await running?.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
