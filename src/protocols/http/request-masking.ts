import { isFault } from '../../core/errors.js';
import type { MaskCounts } from '../../core/mask.js';
import { parseJsonTree } from '../../core/json-tree.js';
import type { JsonNode, JsonObject, JsonString } from '../../core/json-tree.js';
import type { Originals } from '../../masking/streams/stream-masker.js';
import type { TextMasker } from '../../masking/text-masker.js';
import { FREE_BODY, visitContent } from './bodies/body-places.js';
import type { BodyPlaces, Place } from './bodies/body-places.js';
import { FORM_TYPE } from './bodies/body.js';
import type { ReadBody } from './dialect.js';
import { maskForm } from './bodies/form-masking.js';
import { inlineTextIn, readInlineFile, type InlineText } from './bodies/inline-file.js';
import { jsonTextsIn } from './bodies/json-texts.js';
import { maskParts } from './bodies/multipart-masking.js';
import type { BodyPart } from './bodies/multipart.js';
import { Placeholders } from './placeholders.js';
import { TextEdits } from './bodies/text-edits.js';

export interface RequestMaskingOptions {
  /** Where the content stands; absent: all of it is content. */
  readonly places?: BodyPlaces | undefined;
  /** Media type in lower case without parameters. */
  readonly contentType?: string;
}

export interface MaskedRequest {
  /** What goes upstream; the body's own bytes where nothing was found. */
  readonly bytes: Uint8Array;
  readonly counts: MaskCounts;
  /** What stands in it for a value of a rule with `reversible`, and the value. */
  readonly originals: Originals;
}

/**
 * Masks the content of a request in place: what is not changed keeps its bytes, and JSON stays valid JSON.
 *
 * In JSON the strings are masked decoded, of what is the caller's own also names and numbers (a number with a finding
 * becomes `null`); JSON inside of a string as JSON, text files in base64 as text. Forms are masked value by value, in parts part by part, other
 * text as a whole. What can't be read stays as it is: whether it may go up is decided by `RequestReading.uninspected`.
 *
 * Under a rule with `reversible` each value gets a placeholder of its own, `[email_1]`, the same for the same value
 * (under strategy `hash` its pseudonym).
 */
export function maskRequest(body: ReadBody, masker: TextMasker, options: RequestMaskingOptions = {}): MaskedRequest {
  const masking = new RequestMasking(textsOf(body), masker, options.places ?? FREE_BODY);
  if (body.parts !== undefined) {
    const bytes = masking.parts(body.bytes, body.parts);
    return { bytes, counts: masking.counts, originals: masking.originals };
  }
  const masked = masking.body(body, options.contentType ?? '');
  return {
    bytes: masked === body.text ? body.bytes : new TextEncoder().encode(masked),
    counts: masking.counts,
    originals: masking.originals,
  };
}

/**
 * Masks the query of an address, decoded; what is not changed keeps its bytes.
 *
 * @param query without `?`
 */
export function maskQuery(query: string, masker: TextMasker, counts: MaskCounts): string {
  return maskForm(query, (text) => masker.maskText(text, counts));
}

/** All that stands in it. */
function textsOf({ text, parts }: ReadBody): string {
  return parts === undefined ? text : parts.map(({ content }) => ('text' in content ? content.text : '')).join('\n');
}

class RequestMasking {
  readonly counts: MaskCounts = new Map();
  readonly #placeholders: Placeholders;

  /** @param text the whole body: what stands in it already is no placeholder */
  constructor(
    text: string,
    private readonly masker: TextMasker,
    private readonly places: BodyPlaces,
  ) {
    this.#placeholders = new Placeholders(text);
  }

  get originals(): Originals {
    return this.#placeholders.originals;
  }

  body({ text, json }: ReadBody, contentType: string): string {
    if (json !== undefined) return this.#json(text, json, this.places);
    return contentType === FORM_TYPE ? maskForm(text, (value) => this.#text(value)) : this.#text(text);
  }

  parts(bytes: Uint8Array, parts: readonly BodyPart[]): Uint8Array {
    return maskParts(bytes, parts, (text) => this.#document(text));
  }

  /** A file: JSON, or JSON line by line, is masked as such. */
  #document(text: string): string {
    const edits = new TextEdits(text);
    const texts = jsonTextsIn(text);
    for (const json of texts) {
      const masked = this.#json(json.text, json.tree, FREE_BODY);
      if (masked !== json.text) edits.replace(json, masked);
    }
    return texts.length === 0 ? this.#text(text) : edits.apply();
  }

  #text(text: string): string {
    return this.masker.maskText(text, this.counts, (found, entity, rule, masked) =>
      rule.reversible === true ? this.#placeholders.of(found, entity, rule, masked) : masked,
    );
  }

  #json(text: string, tree: JsonNode, places: BodyPlaces): string {
    const edits = new TextEdits(text);
    visitContent(tree, places, {
      string: (node, place, parent) => {
        const value = this.#value(node, place, parent);
        if (value !== node.value) edits.replace(node, JSON.stringify(value));
      },
      number: (node) => {
        const digits = text.slice(node.from, node.to);
        // Any other number might be someone's: null is the one value that is nobody's.
        if (this.#text(digits) !== digits) edits.replace(node, 'null');
      },
      name: (name, at) => {
        const value = this.#text(name);
        if (value !== name) edits.replace(at, JSON.stringify(value));
      },
    });
    return edits.apply();
  }

  #value(node: JsonString, place: Place, parent: JsonObject | undefined): string {
    const { value } = node;
    switch (place) {
      case 'text': {
        const file = inlineTextIn(node, parent);
        return file === undefined ? this.#text(value) : this.#file(value, file);
      }
      case 'json': {
        const tree = parseJsonTree(value);
        return isFault(tree) ? this.#text(value) : this.#json(value, tree, FREE_BODY);
      }
      case 'file': {
        const file = readInlineFile(value, parent);
        return typeof file === 'string' ? value : this.#file(value, file);
      }
      default:
        return value;
    }
  }

  #file(value: string, file: InlineText): string {
    const masked = this.#document(file.text);
    return masked === file.text ? value : file.encoded(masked);
  }
}
