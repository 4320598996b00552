import type { ReadableStream } from 'node:stream/web';
import { HoopError } from '../core/errors.js';

/**
 * The text of an answer, in UTF-8.
 *
 * @throws HoopError `limit` where it is longer than `maxBytes`
 */
export async function readBody(response: Response, maxBytes: number): Promise<string> {
  if (response.body === null) return '';
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body as ReadableStream<Uint8Array>) {
    length += chunk.length;
    if (length > maxBytes) throw new HoopError('limit', `the answer is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
