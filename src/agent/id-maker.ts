import { randomBytes } from 'node:crypto';
import { uuidv7 } from '../core/ids.js';

/** Of a UUIDv7. */
const ID_RANDOM_BYTES = 10;

/** Random bytes are drawn for many ids at once: asking for ten costs nearly as much as for thousands. */
export function idMaker(): () => string {
  let pool = Buffer.alloc(0);
  return () => {
    if (pool.length < ID_RANDOM_BYTES) pool = randomBytes(ID_RANDOM_BYTES * 400);
    const random = pool.subarray(0, ID_RANDOM_BYTES);
    pool = pool.subarray(ID_RANDOM_BYTES);
    return uuidv7(Date.now(), random);
  };
}
