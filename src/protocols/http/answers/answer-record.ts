import type { ModelUsage } from '../../../core/events.js';
import type { JsonNode } from '../../../core/json-tree.js';
import type { TextKind } from './answer-masking.js';
import type { AnswerSummary } from '../dialect.js';
import { usageNumbers } from '../model-usage.js';

const MAX_TEXT_BYTES = 64 * 1024;
const MAX_TEXTS = 256;
const MAX_TOOL_CALLS = 256;
const MAX_NAME_LENGTH = 256;
const MAX_ARGUMENT_BYTES = 8 * 1024;
/** Members of a usage, all events together. */
const MAX_USAGE_MEMBERS = 64;

/** What the members of a `usage` come to; undefined where they say nothing. */
export type UsageOf = (members: ReadonlyMap<string, number>) => ModelUsage | undefined;

/** Texts in which the model thinks, by their keys in every dialect. */
const THOUGHT = /thinking|reasoning/;
/** What a tool is called with and is no JSON: commands, code. */
const ARGUMENTS = /\btool_calls\.\d+\.|_call_(?:input|code)\b/;
/** The API's own tools, whose calls may have no arguments. */
const OWN_TOOL = /_call$/;

interface KeptText {
  text: string;
  bytes: number;
}

/** Collects what an answer tells besides its bytes. Everything given to it is masked. */
const encoder = new TextEncoder();

export class AnswerRecord {
  readonly #texts = new Map<string, KeptText>();
  readonly #usage = new Map<string, number>();
  readonly #toolCalls: string[] = [];
  readonly #arguments = new Map<string, KeptText>();
  #begun = false;
  #characters = 0;

  constructor(private readonly usageOf: UsageOf) {}

  /** A text or a tool call goes on. */
  begin(): void {
    this.#begun = true;
  }

  /** Counts what a text or the arguments of a tool go on with. */
  count(text: string): void {
    this.#characters += text.length;
  }

  /** Keeps a piece of what the model says, or of what it calls a tool with. */
  addPiece({ key, kind }: { readonly key: string; readonly kind: TextKind }, text: string): void {
    if (kind === 'json' || ARGUMENTS.test(key)) this.addArguments(key, text);
    else this.addText(key, text);
  }

  addText(key: string, text: string): void {
    if (text !== '') keep(this.#texts, key, text, { texts: MAX_TEXTS, bytes: MAX_TEXT_BYTES });
  }

  /** Of a call without arguments an empty text is kept: by their order they belong to the calls. */
  addArguments(key: string, text: string): void {
    keep(this.#arguments, key, text, { texts: MAX_TOOL_CALLS, bytes: MAX_ARGUMENT_BYTES });
  }

  addToolCall(name: string): void {
    this.#begun = true;
    if (this.#toolCalls.length < MAX_TOOL_CALLS) this.#toolCalls.push(name.slice(0, MAX_NAME_LENGTH));
  }

  /** Of members given more than once the last counts: they are running totals. */
  addUsage(usage: JsonNode | undefined): void {
    for (const [name, value] of usageNumbers(usage))
      if (this.#usage.has(name) || this.#usage.size < MAX_USAGE_MEMBERS) this.#usage.set(name, value);
  }

  summary(): AnswerSummary {
    const usage = this.usageOf(this.#usage);
    return {
      toolCalls: [...this.#toolCalls],
      text: [...this.#texts.values()].map(({ text }) => text),
      ...this.#asides(),
      characters: this.#characters,
      begun: this.#begun,
      ...(usage === undefined ? {} : { usage }),
    };
  }

  #asides(): Pick<AnswerSummary, 'thoughts' | 'toolArguments'> {
    const thoughts = [...this.#texts.keys()].flatMap((key, at) => (THOUGHT.test(key) ? [at] : []));
    const given = [...this.#arguments.values()].map(({ text }) => text);
    const toolArguments = given.every((text) => text === '') ? [] : pairedWith(this.#toolCalls, given);
    return {
      ...(thoughts.length === 0 ? {} : { thoughts }),
      ...(toolArguments.length === 0 ? {} : { toolArguments }),
    };
  }
}

function keep(
  kept: Map<string, KeptText>,
  key: string,
  text: string,
  most: { readonly texts: number; readonly bytes: number },
): void {
  if (kept.size >= most.texts && !kept.has(key)) return;
  const one = kept.get(key) ?? { text: '', bytes: 0 };
  kept.set(key, one);
  const room = most.bytes - one.bytes;
  // A UTF-16 unit is at most three bytes.
  const sized = new Uint8Array(Math.min(room, text.length * 3));
  const { read, written } = encoder.encodeInto(text, sized);
  one.text += text.slice(0, read);
  one.bytes = read < text.length ? most.bytes : one.bytes + written;
}

/** One for each call, in their order; what belongs to none that can be told stands behind. */
function pairedWith(calls: readonly string[], given: readonly string[]): readonly string[] {
  if (given.length === calls.length) return given;
  const taking = calls.filter((name) => !OWN_TOOL.test(name)).length;
  if (given.length !== taking) return [...calls.map(() => ''), ...given];
  const left = [...given];
  return calls.map((name) => (OWN_TOOL.test(name) ? '' : (left.shift() ?? '')));
}
