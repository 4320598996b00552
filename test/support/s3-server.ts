import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import S3rver from '@20minutes/s3rver';
import { makeFolder } from './folders.js';

/** The only keys that the server takes; it compares every signature. */
export const S3_KEYS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };

export interface S3Server {
  /** `http://127.0.0.1:PORT`, or `https://…` */
  readonly url: string;
  /** Keys of a bucket, in order. */
  keys(bucket: string): readonly string[];
  bytes(bucket: string, key: string): Buffer;
  /** Copies what lies below a prefix of a bucket into a folder, as `aws s3 sync` would. */
  download(bucket: string, prefix: string, folder: string): void;
  stop(): Promise<void>;
  /** Again, on the same port, with what was there. */
  start(): Promise<void>;
  close(): Promise<void>;
}

const OBJECT = '._S3rver_object';

/** A local S3-compatible server that keeps its objects in a folder of its own. */
export async function startS3Server(
  buckets: readonly string[],
  tls?: { readonly key: Buffer; readonly cert: Buffer },
): Promise<S3Server> {
  const directory = makeFolder('s3');
  let port = 0;
  let running: S3rver | undefined;
  const start = async (): Promise<void> => {
    running = new S3rver({
      ...{ address: '127.0.0.1', port, silent: true, directory, vhostBuckets: false, ...tls },
      configureBuckets: buckets.map((name) => ({ name })),
    });
    port = (await running.run()).port;
  };
  const stop = async (): Promise<void> => {
    running?.httpServer.closeAllConnections();
    await running?.close();
    running = undefined;
  };
  await start();
  const keys = (bucket: string): string[] =>
    (readdirSync(join(directory, bucket), { recursive: true }) as string[])
      .filter((name) => name.endsWith(OBJECT))
      .map((name) => name.slice(0, -OBJECT.length))
      .sort();
  const path = (bucket: string, key: string): string => join(directory, bucket, `${key}${OBJECT}`);
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${String(port)}`,
    keys,
    bytes: (bucket, key) => readFileSync(path(bucket, key)),
    download: (bucket, prefix, folder) => {
      for (const key of existsSync(join(directory, bucket)) ? keys(bucket) : []) {
        if (!key.startsWith(prefix)) continue;
        const to = join(folder, key.slice(prefix.length));
        mkdirSync(dirname(to), { recursive: true });
        cpSync(path(bucket, key), to);
      }
    },
    stop,
    start,
    close: async () => {
      await stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
