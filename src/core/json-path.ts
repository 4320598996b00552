/**
 * Places in a JSON text: a small part of JSONPath, as values. `policy` reads them from files, `protocols/http`
 * finds them in bodies.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9535#section-2.5
 */
export interface JsonPathPattern {
  /** At least one, at most 30. */
  readonly steps: readonly JsonPathStep[];
}

export interface JsonPathStep {
  /** Behind `..`: any number of levels may lie between. */
  readonly deep: boolean;
  /** A member's name or an item's index; undefined for `*`, every member and item. */
  readonly select: string | number | undefined;
}

/** More would not fit into the bits that follow a path. */
export const MAX_PATH_STEPS = 30;

/** Where a walk down a document stands in a pattern: a bit for each step that could be next. */
export type PathProgress = number;

export const AT_ROOT: PathProgress = 1;

/**
 * Follows a pattern one level down.
 *
 * @param into name of the member or index of the item that is gone into
 * @returns bit n: step n could be next; bit `steps.length`: the pattern leads here
 */
export function stepInto(pattern: JsonPathPattern, progress: PathProgress, into: string | number): PathProgress {
  let next = 0;
  pattern.steps.forEach(({ deep, select }, index) => {
    if ((progress & (1 << index)) === 0) return;
    if (deep) next |= 1 << index;
    if (select === undefined || select === into) next |= 1 << (index + 1);
  });
  return next;
}

/** Does the pattern lead to where the walk stands? */
export function leadsHere(pattern: JsonPathPattern, progress: PathProgress): boolean {
  return (progress & (1 << pattern.steps.length)) !== 0;
}

/** Does the pattern lead to this place? Work is the path's length times the pattern's. */
export function matchesPath(pattern: JsonPathPattern, path: readonly (string | number)[]): boolean {
  return leadsHere(
    pattern,
    path.reduce<PathProgress>((progress, into) => stepInto(pattern, progress, into), AT_ROOT),
  );
}
