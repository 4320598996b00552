import { hasDuplicates, jsonValue } from '../../core/json-tree.js';
import type { Facts } from '../../policy/types.js';
import type { BodyPart } from './bodies/multipart.js';
import { FORM_TYPE, isInspectable, isJsonType, isLinesType, isTextType } from './bodies/body.js';
import { jsonTextsIn, looksLikeJson } from './bodies/json-texts.js';
import type { HttpRequest, ReadBody, RequestReading } from './dialect.js';
import { judgedPath, queryPairs } from './target.js';

/** A name that was given once is its value, one given several times the list of them, in order. */
type Values = Readonly<Record<string, string | readonly string[]>>;

/**
 * Facts `http.*` of a request.
 *
 * `path` is the normalised path with the rest of its printable escapes decoded; `query` the decoded query; `headers`
 * those that go upstream, several of a name joined by `, ` (RFC 9110 section 5.3); `body` the text in one spelling,
 * empty where it is none or was not read; `json` what the body means, of JSON line by line the list, an empty map where it is no JSON.
 */
export function httpFacts(request: HttpRequest, body: ReadBody | undefined): NonNullable<Facts['http']> {
  const headers = new Map<string, string>();
  for (const [name, value] of request.headers) {
    const known = headers.get(name);
    headers.set(name, known === undefined ? value : `${known}, ${value}`);
  }
  const tree = body?.json;
  return {
    method: request.method,
    path: judgedPath(request.path),
    query: valuesOf(request.query),
    headers: Object.fromEntries(headers),
    host: request.host ?? '',
    body: body === undefined ? '' : judgedText(body, request.contentType),
    json: tree === undefined ? valueOfLines(body, request.contentType) : jsonValue(tree),
  };
}

/**
 * A body as rules see it, as they see paths: escapes that need not be there decoded, since readers take both spellings
 * for the same. In JSON those of all but quotes, backslashes and control characters; of a form all. A form in parts is its names and texts, a line each.
 */
function judgedText({ text, json, parts }: ReadBody, contentType: string): string {
  if (parts !== undefined) return parts.map((part) => `${part.name}=${textOf(part)}`).join('\n');
  const escaped = text.includes('\\') && (json !== undefined || isLinesOfJson(text, contentType));
  if (escaped) return text.replace(JSON_ESCAPE, plainSign);
  if (json !== undefined) return text;
  if (contentType !== FORM_TYPE) return text;
  return queryPairs(text)
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

/** A file's name is content too. */
function textOf({ fileName, content }: BodyPart): string {
  const text = 'text' in content ? content.text : '';
  return fileName === undefined ? text : `${fileName}\n${text}`;
}

/** Also what is left as it is: a backslash that is escaped begins no other escape. */
const JSON_ESCAPE = /\\(?:u([0-9a-fA-F]{4})|[^u])/g;

function plainSign(escape: string, hex: string | undefined): string {
  if (escape === '\\/') return '/';
  const sign = hex === undefined ? '' : String.fromCharCode(parseInt(hex, 16));
  return sign < ' ' || sign === '"' || sign === '\\' ? escape : sign;
}

function isLinesOfJson(text: string, contentType: string): boolean {
  return isLinesType(contentType) && jsonTextsIn(text).length > 0;
}

function valueOfLines(body: ReadBody | undefined, contentType: string): unknown {
  const texts = body !== undefined && isLinesType(contentType) ? jsonTextsIn(body.text) : [];
  return texts.length === 0 ? {} : texts.map(({ tree }) => jsonValue(tree));
}

/** What can be said of any request: a dialect adds to it what it knows. */
export function plainReading(request: HttpRequest, body: ReadBody | undefined): RequestReading {
  return {
    facts: { http: httpFacts(request, body) },
    endpoint: '',
    model: '',
    stream: false,
    text: `${request.method} ${judgedPath(request.path)}`,
    ambiguous: body?.json !== undefined && hasDuplicates(body.json),
    uninspected: body === undefined ? [] : unreadBody(request, body),
  };
}

/** Why a body can't be read as what it is sent as; empty where it can. */
function unreadBody({ contentType, headers }: HttpRequest, body: ReadBody): readonly string[] {
  if (body.bytes.length === 0) return [];
  // With its parameters: the charset may be another than the one that it was read in.
  const sent = headers.find(([name]) => name === 'content-type')?.[1] ?? contentType;
  if (isTextType(sent) && !isInspectable(sent)) return ['a body in another charset than UTF-8'];
  if (body.json !== undefined) return [];
  // Some readers leave out a mark before it, and what stands behind it, whatever the type says.
  const otherwise = looksLikeJson(body.bytes) && !(isLinesType(contentType) && jsonTextsIn(body.text).length > 0);
  if (isJsonType(contentType) || otherwise) return ['a body that is no JSON'];
  if (body.parts !== undefined)
    return [...new Set(body.parts.flatMap(({ content }) => ('unread' in content ? [content.unread] : [])))];
  if (contentType.startsWith('multipart/')) return ['a multipart body'];
  if (body.text === '' || (contentType !== '' && !isInspectable(contentType))) return ['a body that is no text'];
  return contentType === FORM_TYPE && /%(?![0-9a-f]{2})/i.test(body.text) ? ['a form with broken escapes'] : [];
}

function valuesOf(query: string): Values {
  const values = new Map<string, string | readonly string[]>();
  for (const [name, value] of queryPairs(query)) {
    const known = values.get(name);
    values.set(name, known === undefined ? value : typeof known === 'string' ? [known, value] : [...known, value]);
  }
  return Object.fromEntries(values);
}
