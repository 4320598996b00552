import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { HoopError } from '../../core/errors.js';

/** @throws HoopError `config_invalid` where one can't be read, or they are no pair */
export async function readTls(tls: {
  readonly cert: string;
  readonly key: string;
}): Promise<{ cert: Buffer; key: Buffer }> {
  let pair: { cert: Buffer; key: Buffer };
  try {
    pair = { cert: await readFile(tls.cert), key: await readFile(tls.key) };
  } catch (error) {
    throw new HoopError('config_invalid', 'the certificate or key of listen.tls can not be read', { cause: error });
  }
  try {
    createSecureContext(pair);
  } catch (cause) {
    throw new HoopError('config_invalid', 'the certificate and key of listen.tls do not belong together', {
      why: 'they are no PEM files, or the key is another certificate’s',
      cause,
    });
  }
  return pair;
}
