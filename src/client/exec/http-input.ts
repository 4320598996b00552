import { HoopError } from '../../core/errors.js';
import type { HttpType } from '../../core/resources.js';

/** Endpoints whose answers hold text to print. */
export type TextEndpoint = 'chat' | 'completions' | 'responses' | 'messages';

/** One request, read from `-i`, `-f` or standard input. */
export interface HttpInput {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** Names in lower case; with the defaults. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Undefined: the answer is printed as it is. */
  readonly endpoint: TextEndpoint | undefined;
}

const PATHS: Readonly<Record<TextEndpoint, string>> = {
  chat: '/v1/chat/completions',
  completions: '/v1/completions',
  responses: '/v1/responses',
  messages: '/v1/messages',
};

/** Members by which a body without a request line is recognised, in this order. */
const BY_MEMBER: Readonly<Record<HttpType, readonly (readonly [member: string, endpoint: TextEndpoint])[]>> = {
  openai: [
    ['messages', 'chat'],
    ['input', 'responses'],
    ['prompt', 'completions'],
  ],
  anthropic: [['messages', 'messages']],
  http: [],
};

const REQUEST_LINE = /^([A-Z]+) +(\/[\x21-\x7e]*)(?: +HTTP\/1\.[01])?(?: +(?=[{[]))?/;
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e]*)$/;
/** The framing, the way and, for models, the key are this side's. */
const OWN_HEADERS: readonly string[] = [
  'connection',
  'content-length',
  'expect',
  'host',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];
const KEY_HEADERS: readonly string[] = ['authorization', 'x-api-key', 'api-key'];
const FORM = 'write METHOD /PATH, headers on lines of their own, an empty line, the body';

/**
 * A JSON body alone, for an endpoint that its members name; or a request line with headers and a body below it, or
 * with a JSON body on the same line.
 *
 * @throws HoopError usage
 */
export function parseHttpInput(text: string, type: HttpType): HttpInput {
  const trimmed = text.trimStart();
  return trimmed.startsWith('{') ? fromBody(trimmed, type) : fromRequest(trimmed, type);
}

function fromBody(body: string, type: HttpType): HttpInput {
  const members = objectOf(body);
  const named = BY_MEMBER[type].find(([member]) => Object.hasOwn(members, member));
  if (named === undefined) {
    throw new HoopError('usage', 'the text does not say where the request goes', {
      why:
        type === 'http'
          ? 'a connection of type http has no endpoint for a body alone'
          : `a body alone needs ${BY_MEMBER[type].map(([member]) => `"${member}"`).join(', ')}`,
      suggestion: FORM,
    });
  }
  const [, endpoint] = named;
  return { method: 'POST', path: PATHS[endpoint], headers: headersFor(type, {}, body), body, endpoint };
}

function fromRequest(text: string, type: HttpType): HttpInput {
  const found = REQUEST_LINE.exec(text);
  const [line = '', method = '', path = ''] = found ?? [];
  const rest = text.slice(line.length);
  if (found === null || !/^(?:[ \t]*\r?(?:\n|$)|[{[])/.test(rest))
    throw new HoopError('usage', 'the text begins with no request', { suggestion: FORM });
  if (path.includes('\\')) {
    throw new HoopError('usage', 'the path holds a backslash', {
      why: 'a shell leaves \\n as it is between single quotes',
      suggestion: "put a JSON body on the line of the path, or write $'POST /path\\n\\nbody'",
    });
  }
  const { headers, body } = headersAndBody(rest.replace(/^[ \t]*\r?\n/, ''));
  checkHeaders(headers, type);
  const pathname = path.split('?', 1)[0];
  const endpoint = BY_MEMBER[type].find(([, one]) => PATHS[one] === pathname)?.[1];
  return { method, path, headers: headersFor(type, headers, body), body, endpoint };
}

/** Lines of headers up to an empty line, or up to where JSON begins. */
function headersAndBody(text: string): { headers: Record<string, string>; body: string } {
  const headers: Record<string, string> = {};
  let rest = text;
  while (rest.trim() !== '' && !/^[{[]/.test(rest)) {
    const end = rest.indexOf('\n');
    const line = (end === -1 ? rest : rest.slice(0, end)).replace(/\r$/, '');
    rest = end === -1 ? '' : rest.slice(end + 1);
    if (line === '') return { headers, body: rest };
    const [, name = '', value = ''] = HEADER.exec(line) ?? [];
    if (name === '') throw new HoopError('usage', 'a line below the request line is no header', { suggestion: FORM });
    if (Object.hasOwn(headers, name.toLowerCase())) throw new HoopError('usage', `the header ${name} is given twice`);
    headers[name.toLowerCase()] = value.trim();
  }
  return { headers, body: rest };
}

function checkHeaders(headers: Readonly<Record<string, string>>, type: HttpType): void {
  for (const name of Object.keys(headers)) {
    if (OWN_HEADERS.includes(name)) throw new HoopError('usage', `the header ${name} is hoop’s own`);
    if (type !== 'http' && KEY_HEADERS.includes(name)) {
      throw new HoopError('usage', `the header ${name} is hoop’s own`, {
        why: 'the agent puts the stored key in its place',
        suggestion: 'leave it out',
      });
    }
  }
}

function headersFor(type: HttpType, given: Readonly<Record<string, string>>, body: string): Record<string, string> {
  const json = /^\s*[{[]/.test(body);
  return {
    accept: '*/*',
    ...(body === '' ? {} : { 'content-type': json ? 'application/json' : 'text/plain; charset=utf-8' }),
    // Required by the API, and there is one version of it: https://docs.anthropic.com/en/api/versioning
    ...(type === 'anthropic' ? { 'anthropic-version': '2023-06-01' } : {}),
    ...given,
  };
}

function objectOf(body: string): object {
  try {
    return JSON.parse(body) as object;
  } catch {
    throw new HoopError('usage', 'the body is no JSON', { suggestion: 'check its quotes, braces and commas' });
  }
}
