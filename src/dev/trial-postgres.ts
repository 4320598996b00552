import { Worker } from 'node:worker_threads';
import { HoopError, messageOf } from '../core/errors.js';

export interface TrialPostgres {
  readonly host: string;
  readonly port: number;
  /** Settles when it ends, also by itself; says why. */
  readonly ended: Promise<string>;
  close(): Promise<void>;
}

/**
 * A real Postgres inside this process, in memory, with customers and payments; it takes any user
 * without a password, on loopback, and is gone after `close`.
 */
export async function startTrialPostgres(): Promise<TrialPostgres> {
  const worker = new Worker(new URL('./postgres-worker.js', import.meta.url));
  const ended = new Promise<string>((resolve) => {
    worker.once('error', (error) => {
      resolve(messageOf(error));
    });
    worker.once('exit', () => {
      resolve('its thread has ended');
    });
  });
  const listening = new Promise<{ readonly port: number }>((resolve) => worker.once('message', resolve));
  const told = await Promise.race([listening, ended]);
  if (typeof told === 'string') throw new HoopError('failed', 'the trial database does not start', { why: told });
  const close = async (): Promise<void> => {
    await worker.terminate();
  };
  return { host: '127.0.0.1', port: told.port, ended, close };
}
