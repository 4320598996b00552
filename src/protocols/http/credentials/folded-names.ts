import type { JsonNode } from '../../../core/json-tree.js';
import type { BodyPlaces } from '../bodies/body-places.js';

/** As readers do that take capitals and small letters of a name for the same: Unicode's simple folding, `ſ` and `K` included. */
export function foldedName(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/**
 * Does a member stand there under a name that is one of `names` but for its capitals? A reader that compares exactly
 * does not see it, one that does not may take it for the other: `Method` for `method`.
 *
 * Looks at all but what is the caller's own.
 */
export function hasFoldedNames(node: JsonNode, names: ReadonlySet<string>, places: BodyPlaces): boolean {
  if (node.kind === 'array') return node.items.some((item) => hasFoldedNames(item, names, places));
  if (node.kind !== 'object') return false;
  return node.members.some(
    ({ name, value }) =>
      (!names.has(name) && names.has(foldedName(name))) ||
      (!places.free(name, node) && hasFoldedNames(value, names, places)),
  );
}
