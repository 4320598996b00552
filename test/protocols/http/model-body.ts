import { readBody } from '../../../src/protocols/http/bodies/read-body.js';
import type { HttpRequest, ReadBody } from '../../../src/protocols/http/dialect.js';

export const JSON_TYPE = 'application/json';

/** A request as the front hands it to a dialect. */
export function requestOf(path: string, over: Partial<HttpRequest> = {}): HttpRequest {
  return { method: 'POST', path, query: '', headers: [], contentType: JSON_TYPE, ...over };
}

export function bodyOf(value: unknown, contentType = JSON_TYPE): ReadBody {
  return readBody(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), contentType);
}
