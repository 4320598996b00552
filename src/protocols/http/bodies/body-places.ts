import type { JsonNode, JsonNumber, JsonObject, JsonString } from '../../../core/json-tree.js';
import { LONG_NUMBER } from '../structural.js';

/**
 * What a string of a body is:
 *
 * - `text`: content, for rules to read and masks to change
 * - `json`: content that is JSON once more, as the arguments of a tool call
 * - `word`: a name, id or kind that the API itself reads; it stays as it is, and is no content
 * - `sealed`: made by the model's provider for itself, and readable to nobody else; it stays
 * - `file`: a file in base64 or as a data URL; content where it is text
 * - `foreign`: content that is not in the body, or that is no text: `kind` is a word or two for it
 */
export type Place = 'text' | 'json' | 'word' | 'sealed' | 'file' | { readonly foreign: string };

/** Where in a body the content stands, and where what the API reads. */
export interface BodyPlaces {
  /**
   * @param name of the string's member; in a list that of the list
   * @param parent the innermost object around it
   */
  place(name: string, value: string, parent: JsonObject | undefined): Place;
  /**
   * Is everything below this member the caller's own, names and numbers too, as in the input of a tool? Then all of it
   * is content.
   */
  free(name: string, parent: JsonObject | undefined): boolean;
  /** Of an object: a kind of content that the dialect does not know, if it is one. */
  unknown(object: JsonObject, name: string): string | undefined;
}

const WORD = /^[A-Za-z_][\w.:/-]{0,255}$/;
const SEALED = /^[A-Za-z0-9+/=_-]+$/;

/** Names, ids and kinds look like this; what stands in the place of one and does not is content. */
export function wordOrText(value: string): Place {
  return WORD.test(value) && !LONG_NUMBER.test(value) ? 'word' : 'text';
}

/** What a provider sealed is base64; what stands in its place and is not is content. */
export function sealedOrText(value: string): Place {
  return SEALED.test(value) ? 'sealed' : 'text';
}

/** A body of which nothing is known: all of it is content. */
export const FREE_BODY: BodyPlaces = { place: () => 'text', free: () => true, unknown: () => undefined };

/** Is told of everything in a body that may be content, in the order of the text. */
export interface ContentVisitor {
  string(node: JsonString, place: Place, parent: JsonObject | undefined): void;
  /** A number in what is the caller's own. */
  number(node: JsonNumber): void;
  /** A name in what is the caller's own; it stands at `at`, quotes included. */
  name(name: string, at: { readonly from: number; readonly to: number }): void;
  /** A list with numbers under this name: tokens, where text is expected. Not told where it is the caller's own. */
  numbers?(name: string): void;
  unknown?(kind: string): void;
}

/** Goes through a tree, or a part of it that stands under `name` in `parent`. */
export function visitContent(
  node: JsonNode,
  places: BodyPlaces,
  visitor: ContentVisitor,
  name = '',
  parent?: JsonObject,
): void {
  new Visit(places, visitor).node(node, name, parent, places.free(name, parent));
}

class Visit {
  constructor(
    private readonly places: BodyPlaces,
    private readonly visitor: ContentVisitor,
  ) {}

  node(node: JsonNode, name: string, parent: JsonObject | undefined, free: boolean): void {
    const { visitor, places } = this;
    switch (node.kind) {
      case 'string':
        visitor.string(node, free ? 'text' : places.place(name, node.value, parent), parent);
        return;
      case 'number':
        if (free) visitor.number(node);
        return;
      case 'array':
        if (!free && node.items.some(({ kind }) => kind === 'number')) visitor.numbers?.(name);
        for (const item of node.items) this.node(item, name, parent, free);
        return;
      case 'object':
        this.#object(node, name, free);
        return;
      case 'literal':
        return;
    }
  }

  #object(node: JsonObject, name: string, free: boolean): void {
    const kind = free ? undefined : this.places.unknown(node, name);
    if (kind !== undefined) this.visitor.unknown?.(kind);
    for (const member of node.members) {
      if (free) this.visitor.name(member.name, member.nameAt);
      this.node(member.value, member.name, node, free || this.places.free(member.name, node));
    }
  }
}
