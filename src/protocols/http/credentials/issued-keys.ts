import type { HttpRequest } from '../dialect.js';

/**
 * Requests by which a provider of models opens a way to itself that leads past whoever asked: client secrets and calls of
 * the Realtime API, sessions of ChatKit, tokens for one use.
 *
 * @see https://platform.openai.com/docs/api-reference/realtime-sessions
 * @see https://platform.openai.com/docs/api-reference/chatkit
 */
const OPENED = /\/(?:realtime(?:api)?|chatkit\/sessions|auth_tokens)(?:\/|$)/;

/**
 * Keys, members and projects of the account that the stored key belongs to.
 *
 * @see https://platform.openai.com/docs/api-reference/administration
 * @see https://docs.anthropic.com/en/api/administration-api
 */
const ADMINISTERED =
  /\/organizations?(?:\/|$)|\/v1\/(?:auth\/)?keys(?:\/|$)|\/key\/(?:generate|regenerate|update)(?:\/|$)/;

/** What a request to a provider of models would have it give out; empty where it is nothing of that kind. */
export function issuedBy({ method, path }: Pick<HttpRequest, 'method' | 'path'>): string {
  const plain = path.toLowerCase();
  if (ADMINISTERED.test(plain)) return 'keys and members of the account';
  return !['GET', 'HEAD'].includes(method) && OPENED.test(plain) ? 'a way to the provider past this agent' : '';
}
