import { HoopError } from '../core/errors.js';

/**
 * The text of an answer, in UTF-8.
 *
 * @param body null: there is none
 * @throws HoopError `limit` where it is longer than `maxBytes`
 */
export async function readBody(body: AsyncIterable<Uint8Array> | null, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > maxBytes) throw new HoopError('limit', `the answer is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
