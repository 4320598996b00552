import type { IncomingMessage } from 'node:http';
import { HoopError } from '../../core/errors.js';
import { Refusal } from './gate.js';

/** Largest JSON body, in bytes. */
const MAX_BODY_BYTES = 64 * 1024;

/**
 * Reads a JSON object whose fields are text. An absent body is an empty object.
 *
 * @param fields names that may occur; any other is refused
 * @throws Refusal 413, 415; HoopError `usage`
 */
export async function readTextFields(
  request: IncomingMessage,
  fields: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const text = await readText(request);
  if (text === '') return new Map();
  // A form of another web site can't send this type without asking first.
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/json(?:\s*;|$)/i.test(type))
    throw new Refusal(415, new HoopError('usage', 'the body must be application/json'));
  const value = parseObject(text);
  const found = new Map<string, string>();
  for (const [name, field] of Object.entries(value)) {
    if (!fields.includes(name))
      throw new HoopError('usage', `unknown field in the body; it takes ${fields.join(', ')}`);
    if (typeof field !== 'string') throw new HoopError('usage', `field ${name} of the body must be text`);
    found.set(name, field);
  }
  return found;
}

async function readText(request: IncomingMessage): Promise<string> {
  const bytes = await readBytes(request, MAX_BODY_BYTES);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new HoopError('usage', 'the body must be UTF-8');
  }
}

/**
 * A body of any type. By events: leaving a `for await` early would close the socket before the refusal is sent.
 *
 * @throws Refusal 413; HoopError `usage` where it breaks off
 */
export function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return Promise.reject(tooLong(maxBytes));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBytes) chunks.push(chunk);
      else reject(tooLong(maxBytes));
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('close', () => reject(new HoopError('usage', 'the body broke off')));
    request.once('error', () => reject(new HoopError('usage', 'the body broke off')));
  });
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new HoopError('usage', 'the body must be JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new HoopError('usage', 'the body must be a JSON object');
  return value as Readonly<Record<string, unknown>>;
}

function tooLong(maxBytes: number): Refusal {
  return new Refusal(413, new HoopError('limit', `the body is longer than ${maxBytes} bytes`));
}
