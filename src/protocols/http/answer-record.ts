import type { ModelUsage } from '../../core/events.js';
import type { JsonNode } from '../../core/json-tree.js';
import type { AnswerSummary } from './dialect.js';
import { usageNumbers } from './model-usage.js';

const MAX_TEXT_BYTES = 64 * 1024;
const MAX_TEXTS = 256;
const MAX_TOOL_CALLS = 256;
const MAX_NAME_LENGTH = 256;
/** Members of a usage, all events together. */
const MAX_USAGE_MEMBERS = 64;

/** What the members of a `usage` come to; undefined where they say nothing. */
export type UsageOf = (members: ReadonlyMap<string, number>) => ModelUsage | undefined;

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

  addText(key: string, text: string): void {
    if (text === '' || (this.#texts.size >= MAX_TEXTS && !this.#texts.has(key))) return;
    const kept = this.#texts.get(key) ?? { text: '', bytes: 0 };
    this.#texts.set(key, kept);
    const room = MAX_TEXT_BYTES - kept.bytes;
    // A UTF-16 unit is at most three bytes.
    const sized = new Uint8Array(Math.min(room, text.length * 3));
    const { read, written } = encoder.encodeInto(text, sized);
    kept.text += text.slice(0, read);
    kept.bytes = read < text.length ? MAX_TEXT_BYTES : kept.bytes + written;
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
      characters: this.#characters,
      begun: this.#begun,
      ...(usage === undefined ? {} : { usage }),
    };
  }
}
