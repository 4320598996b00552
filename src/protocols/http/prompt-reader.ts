import { isFault } from '../../core/errors.js';
import { member, parseJsonTree } from '../../core/json-tree.js';
import type { JsonNode, JsonObject, JsonString } from '../../core/json-tree.js';
import { plainSpelling } from '../../masking/spellings/plain-spelling.js';
import { FREE_BODY, visitContent } from './bodies/body-places.js';
import type { BodyPlaces, ContentVisitor, Place } from './bodies/body-places.js';
import { inlineTextIn, readInlineFile } from './bodies/inline-file.js';
import { jsonTextsIn } from './bodies/json-texts.js';
import type { BodyPart } from './bodies/multipart.js';

/** One message of a conversation. Results of tools are messages of the role `tool`. */
export interface PromptMessage {
  readonly role: string;
  readonly text: string;
}

/** Lists of numbers that stand for text under these names. */
const TOKEN_LISTS: readonly string[] = ['input', 'prompt', 'context'];

/** Puts together all text of a body that goes to a model. */
export class PromptReader {
  readonly messages: PromptMessage[] = [];
  readonly uninspected = new Set<string>();
  readonly #texts: string[] = [];

  /** @param text what the nodes' offsets count */
  constructor(
    private readonly text: string,
    private readonly places: BodyPlaces,
  ) {}

  /** Everything read so far, in the order it was read, joined by newline. */
  get prompt(): string {
    return this.#texts.join('\n');
  }

  /** Text of the newest message with the role `user`; empty where there is none. */
  get lastUser(): string {
    return this.messages.findLast(({ role }) => role === 'user')?.text ?? '';
  }

  /** Reads a part of the body that is said by someone. */
  message(role: string, nodes: readonly JsonNode[], name: string, parent: JsonObject | undefined): void {
    const from = this.#texts.length;
    for (const node of nodes) this.read(node, name, parent);
    this.messages.push({ role, text: this.#texts.slice(from).join('\n') });
  }

  /** Reads a part of the body that is no message. */
  read(node: JsonNode, name: string, parent: JsonObject | undefined): void {
    visitContent(node, this.places, this.#visitor(this.text), name, parent);
  }

  /** Reads a part of a form: a field as the member of that name, a file with its name. */
  part({ name, fileName, content }: BodyPart): void {
    if (fileName !== undefined && fileName !== '') this.#texts.push(fileName);
    if ('unread' in content) this.uninspected.add(content.unread);
    else if (fileName !== undefined || this.places.place(name, content.text, undefined) !== 'word')
      this.#document(content.text);
  }

  #visitor(source: string): ContentVisitor {
    return {
      string: (node, place, parent) => {
        this.#string(node, place, parent);
      },
      // As it is written: a long one would lose digits.
      number: ({ from, to }) => {
        this.#texts.push(source.slice(from, to));
      },
      name: (name) => {
        this.#texts.push(name);
      },
      numbers: (name) => {
        if (TOKEN_LISTS.includes(name)) this.uninspected.add('tokens in the place of text');
      },
      unknown: (kind) => {
        this.uninspected.add(kind);
      },
    };
  }

  #string(node: JsonString, place: Place, parent: JsonObject | undefined): void {
    const { value } = node;
    if (typeof place === 'object') this.uninspected.add(place.foreign);
    else if (place === 'file') this.#file(value, parent);
    else if (place === 'json') {
      this.#texts.push(value);
      if (value.includes('\\')) this.#unescaped(value);
    } else if (place === 'text') {
      this.#document(value);
      const file = inlineTextIn(node, parent);
      if (file !== undefined) this.#document(file.text);
    }
  }

  #file(value: string, parent: JsonObject | undefined): void {
    const file = readInlineFile(value, parent);
    if (typeof file === 'string') this.uninspected.add(file);
    else this.#document(file.text);
  }

  #document(text: string): void {
    this.#texts.push(text);
    if (!text.includes('\\')) return;
    for (const { text: json, tree } of jsonTextsIn(text)) visitContent(tree, FREE_BODY, this.#visitor(json));
  }

  /** The model reads the text with its escapes, but knows what they mean. */
  #unescaped(json: string): void {
    const tree = parseJsonTree(json);
    if (!isFault(tree)) visitContent(tree, FREE_BODY, this.#visitor(json));
  }
}

/** A text as rules see it: what readers take for other words than it is written in stands behind it once more. */
export function judgedPrompt(text: string): string {
  const plain = plainSpelling(text);
  return plain === undefined ? text : `${text}\n${plain}`;
}

/** The string under a name; empty where it is none. */
export function stringIn(node: JsonNode | undefined, name: string): string {
  const value = member(node, name);
  return value?.kind === 'string' ? value.value : '';
}

/** The number under the first of the names that holds one. */
export function numberIn(node: JsonNode | undefined, names: readonly string[]): number | null {
  for (const name of names) {
    const value = member(node, name);
    if (value?.kind === 'number') return value.value;
  }
  return null;
}
