import { member } from '../../../core/json-tree.js';
import type { JsonNode, JsonObject, JsonString } from '../../../core/json-tree.js';
import { wholeNumber } from '../../../masking/json/json-number.js';
import type { AnswerMasking } from './answer-masking.js';
import { inlineTextIn } from '../bodies/inline-file.js';
import { isStructuralName, isStructuralNumber, isStructuralString } from '../structural.js';
import type { TextEdits } from '../bodies/text-edits.js';

/** JSON in a string: it has to stay JSON. */
const JSON_TEXTS = new Set(['arguments', 'partial_json']);
/** What a tool is given, or a user's own: nothing in it is the API's structure. */
const FOREIGN = new Set([
  'input',
  'arguments',
  'metadata',
  'parameters',
  'schema',
  'json_schema',
  'structured_content',
]);
/** The text once more, token by token and byte by byte: as OpenAI, Gemini, llama.cpp and vLLM call it. */
const LOG_PROBABILITIES = new Set(['logprobs', 'logprobsResult', 'completion_probabilities', 'prompt_logprobs']);
/** What tokens have beside them in lists of other names. */
const PROBABILITY = ['logprob', 'log_prob', 'logProbability'];

const JSON_TEXT = /^\s*[[{]/;

interface Place {
  /** The member it is the value of, or is in the array of. */
  readonly name: string;
  readonly text: string;
}

export interface TreeMaskOptions {
  readonly masking: AnswerMasking;
  readonly edits: TextEdits;
  /** Strings that are masked elsewhere. */
  readonly skip: ReadonlySet<JsonNode>;
  /** Nothing is left alone for being structure. */
  readonly plain: boolean;
}

/**
 * Masks every string, number and name of one document, each as a whole; of a model API all but its structure.
 *
 * @param text what the tree was read from
 */
export function maskAnswerTree(tree: JsonNode, text: string, options: TreeMaskOptions): void {
  new TreeMask(options).visit(tree, { name: '', text });
}

class TreeMask {
  constructor(private readonly options: TreeMaskOptions) {}

  visit(node: JsonNode, place: Place): void {
    switch (node.kind) {
      case 'string':
        this.#string(node, node.value, place);
        return;
      case 'number':
        this.#number(node, place);
        return;
      case 'array':
        for (const item of node.items) this.visit(item, place);
        return;
      case 'object':
        this.#object(node, place.text);
        return;
      case 'literal':
    }
  }

  #string(node: JsonNode, value: string, { name }: Place): void {
    const { masking, edits, skip, plain } = this.options;
    if (skip.has(node) || (!plain && isStructuralString(name, value))) return;
    const masked = masking.whole(value, JSON_TEXTS.has(name) ? 'json' : 'text');
    if (masked !== value) edits.replace(node, JSON.stringify(masked));
  }

  #number(node: JsonNode, { name, text }: Place): void {
    const token = text.slice(node.from, node.to);
    if (!this.options.plain && isStructuralNumber(name, token)) return;
    // Any other number might be someone's.
    const whole = wholeNumber(token);
    if (this.#meets(token) || (whole !== undefined && this.#meets(whole))) this.options.edits.replace(node, 'null');
  }

  #meets(number: string): boolean {
    return this.options.masking.whole(number) !== number;
  }

  #object(node: JsonObject, text: string): void {
    for (const { name, nameAt, value } of node.members) {
      if (this.options.plain || !isStructuralName(name)) {
        const masked = this.options.masking.whole(name);
        if (masked !== name) this.options.edits.replace(nameAt, JSON.stringify(masked));
      }
      if (name === 'audio' && isSound(value)) this.options.masking.unread('audio');
      if (LOG_PROBABILITIES.has(name) && value.kind === 'object') this.options.edits.replace(value, 'null');
      else if (value.kind === 'array' && (LOG_PROBABILITIES.has(name) || isOfTokens(value))) this.#empty(value);
      else if (FOREIGN.has(name) && value.kind === 'object') this.#foreign(value, text);
      else if (value.kind === 'string' && this.#file(value, node)) continue;
      else this.visit(value, { name, text });
    }
  }

  /** A text file in base64 that says what it is, as prompts hold them. @returns false where it is none, or nothing is found */
  #file(node: JsonString, parent: JsonObject): boolean {
    const { masking, edits, skip } = this.options;
    const file = skip.has(node) ? undefined : inlineTextIn(node, parent);
    if (file === undefined) return false;
    const masked = masking.whole(file.text, JSON_TEXT.test(file.text) ? 'json' : 'text');
    if (masked === file.text) return false;
    edits.replace(node, JSON.stringify(file.encoded(masked)));
    return true;
  }

  #empty(node: JsonNode & { readonly kind: 'array' }): void {
    if (node.items.length > 0) this.options.edits.replace(node, '[]');
  }

  #foreign(node: JsonObject, text: string): void {
    const document = text.slice(node.from, node.to);
    const masked = this.options.masking.whole(document, 'json');
    if (masked !== document) this.options.edits.replace(node, masked);
  }
}

function isOfTokens({ items: [first] }: JsonNode & { readonly kind: 'array' }): boolean {
  return first?.kind === 'object' && PROBABILITY.some((name) => member(first, name) !== undefined);
}

/** `{ id, data, transcript }` of a message that is said aloud, or a piece of one. */
function isSound(node: JsonNode): boolean {
  const data = member(node, 'data');
  return data?.kind === 'string' && data.value !== '';
}
