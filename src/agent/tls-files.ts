import { readFile } from 'node:fs/promises';
import { HoopError } from '../core/errors.js';

/** @throws HoopError `config_invalid` where one can't be read */
export async function readTls(tls: {
  readonly cert: string;
  readonly key: string;
}): Promise<{ cert: Buffer; key: Buffer }> {
  try {
    return { cert: await readFile(tls.cert), key: await readFile(tls.key) };
  } catch (error) {
    throw new HoopError('config_invalid', 'the certificate or key of listen.tls can not be read', { cause: error });
  }
}
