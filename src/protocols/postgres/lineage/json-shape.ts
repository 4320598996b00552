import { isNothing, type Derivation } from './derivation.js';

/**
 * What stands where in a JSON document that a query builds of columns, as ORMs have rows beside a row: so that a masked
 * column in it is masked in its place and the rest of the document is shown.
 */
export type JsonShape =
  /** A value of any type. */
  | { readonly kind: 'leaf'; readonly value: Derivation }
  /** `json_build_object`, a row: no other members than these. */
  | { readonly kind: 'object'; readonly members: ReadonlyMap<string, JsonShape> }
  /** `json_build_array` */
  | { readonly kind: 'array'; readonly items: readonly JsonShape[] }
  /** `json_agg`: any number of the same. */
  | { readonly kind: 'list'; readonly item: JsonShape }
  /** The document cast to text. */
  | { readonly kind: 'text'; readonly document: JsonShape };

/** All that is behind the values in it. */
export function valuesIn(shape: JsonShape): readonly Derivation[] {
  switch (shape.kind) {
    case 'leaf':
      return isNothing(shape.value) ? [] : [shape.value];
    case 'object':
      return [...shape.members.values()].flatMap(valuesIn);
    case 'array':
      return shape.items.flatMap(valuesIn);
    case 'list':
      return valuesIn(shape.item);
    case 'text':
      return valuesIn(shape.document);
  }
}
