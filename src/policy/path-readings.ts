import type { Facts } from './types.js';

/** The one escape of a path that servers read in two ways: as a letter of a segment, or as the slash between two. */
const ENCODED_SLASH = /%2F/g;

/**
 * The facts of a request in every way that a server may read its path: once, but where slashes are encoded
 * (`/projects/a%2Fb`) also with them decoded, and then also with empty segments merged, as many servers do. Nobody can
 * tell from here which of them the upstream takes.
 *
 * @see https://www.rfc-editor.org/rfc/rfc3986#section-2.2
 */
export function pathReadings(facts: Facts): readonly Facts[] {
  const path = facts.http?.['path'];
  if (typeof path !== 'string' || !path.includes('%2F')) return [facts];
  const decoded = path.replace(ENCODED_SLASH, '/');
  const merged = decoded.replace(/\/{2,}/g, '/');
  return [facts, ...[...new Set([decoded, merged])].map((read) => ({ ...facts, http: { ...facts.http, path: read } }))];
}
