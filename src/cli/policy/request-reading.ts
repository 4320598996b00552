import { isFault, type Fault } from '../../core/errors.js';
import { HTTP_TYPES, type HttpType } from '../../core/resources.js';
import { mediaTypeOf } from '../../protocols/http/bodies/body.js';
import { readBody } from '../../protocols/http/bodies/read-body.js';
import type { RequestReading } from '../../protocols/http/dialect.js';
import { readTarget } from '../../protocols/http/target.js';
import { DIALECTS } from '../../protocols/registry.js';

/** A request as a person writes it down. */
export interface WrittenRequest {
  readonly method: string;
  /** May hold a query. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text; anything else is sent as JSON. */
  readonly body?: unknown;
  readonly host?: string;
}

export function isHttpType(type: string): type is HttpType {
  return HTTP_TYPES.some((one) => one === type);
}

/** What the agent would read in it, by the same dialects. @returns a fault where it would be refused before any policy */
export function readRequest(type: HttpType, written: WrittenRequest): RequestReading | Fault {
  const given = new URLSearchParams(written.query).toString();
  const target = readTarget(
    given === '' ? written.path : `${written.path}${written.path.includes('?') ? '&' : '?'}${given}`,
    { slashes: type === 'http' },
  );
  if (isFault(target)) return target;
  const { body } = written;
  const headers = Object.entries(written.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const);
  const sent = headers.find(([name]) => name === 'content-type')?.[1];
  const contentType = sent ?? (body === undefined || typeof body === 'string' ? '' : 'application/json');
  const all = sent === undefined && contentType !== '' ? [...headers, ['content-type', contentType] as const] : headers;
  const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
  const bytes = new TextEncoder().encode(text);
  return DIALECTS[type].read(
    {
      method: written.method,
      host: written.host ?? 'api.example.com',
      ...target,
      headers: all,
      contentType: mediaTypeOf(contentType).type,
    },
    bytes.length === 0 ? undefined : readBody(bytes, contentType),
  );
}

/** A request to a model with this prompt as its newest message, in the words of the connection's API. */
export function promptRequest(
  type: HttpType,
  {
    prompt,
    repeat = 1,
    model,
    tools = [],
  }: {
    readonly prompt: string;
    readonly repeat?: number | undefined;
    readonly model?: string | undefined;
    readonly tools?: readonly string[] | undefined;
  },
): WrittenRequest {
  const messages = [{ role: 'user', content: prompt.repeat(repeat) }];
  if (type === 'anthropic') {
    const offered = tools.map((name) => ({ name, description: '', input_schema: { type: 'object' } }));
    const body = {
      model: model ?? 'claude-sonnet',
      max_tokens: 1024,
      messages,
      ...(tools.length > 0 ? { tools: offered } : {}),
    };
    return { method: 'POST', path: '/v1/messages', body };
  }
  const offered = tools.map((name) => ({ type: 'function', function: { name } }));
  const body = { model: model ?? 'gpt-4o', messages, ...(tools.length > 0 ? { tools: offered } : {}) };
  return { method: 'POST', path: '/v1/chat/completions', body };
}
