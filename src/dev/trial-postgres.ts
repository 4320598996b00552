import { Worker } from 'node:worker_threads';

export interface TrialPostgres {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * A real Postgres inside this process, in memory, with customers and payments; it takes any user
 * without a password, on loopback, and is gone after `close`.
 */
export async function startTrialPostgres(): Promise<TrialPostgres> {
  const worker = new Worker(new URL('./postgres-worker.js', import.meta.url));
  const port = await new Promise<number>((resolve, reject) => {
    worker.once('message', (message: { readonly port: number }) => {
      resolve(message.port);
    });
    worker.once('error', reject);
    worker.once('exit', () => {
      reject(new Error('the trial database ended before it listened'));
    });
  });
  return {
    host: '127.0.0.1',
    port,
    close: async () => {
      await worker.terminate();
    },
  };
}
