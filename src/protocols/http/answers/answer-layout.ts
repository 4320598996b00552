import { member } from '../../../core/json-tree.js';
import type { JsonNode, JsonString } from '../../../core/json-tree.js';
import type { TextKind } from './answer-masking.js';
import type { UsageOf } from './answer-record.js';

/** An event of our own: the rest of a text that was held back. */
export interface ExtraEvent {
  readonly name: string;
  readonly data: string;
}

/** One string of an event that is a piece of a text; other events hold the others. */
export interface TextPiece {
  /** The text it belongs to. */
  readonly key: string;
  readonly kind: TextKind;
  readonly node: JsonString;
  /** The data is the piece itself, and no JSON. */
  readonly bare?: true;
  /** An event of the same shape that holds nothing but this piece. @param token JSON string; the text itself where it is bare */
  extra(token: string): ExtraEvent;
}

/** What one event is made of. */
export interface EventReading {
  readonly pieces: readonly TextPiece[];
  /** Is the text over with this event? */
  readonly ends: (key: string) => boolean;
  /** Texts with these keys may begin again. */
  readonly begins?: (key: string) => boolean;
  /** It says again what came in pieces. */
  readonly repeats?: boolean;
  /** What in it says words and is no text: `audio`. */
  readonly unread?: string | undefined;
  readonly usage?: JsonNode | undefined;
  /** Names of the tools whose calls begin here. */
  readonly toolCalls: readonly string[];
}

/** Says where in the events of an API streamed texts stand. `data` is what `tree` was read from. */
export type EventLayout = (tree: JsonNode, data: string, name: string) => EventReading;

/** What the event streams of an API look like. */
export interface StreamShape {
  readonly layout: EventLayout;
  /** Reads data that need not be JSON; undefined where it is. Absent: what is no JSON is a fault. */
  readonly text?: (data: string, name: string) => EventReading | undefined;
  /** Is nothing known of its structure? Then everything in it is masked. */
  readonly plain?: boolean;
  /** Does it go on with ever new texts, as a session does? */
  readonly endless?: boolean;
  readonly usageOf: UsageOf;
}

export type NamedText = readonly [name: string, text: string];

/** What a whole document tells. */
export interface DocumentReading {
  readonly usage?: JsonNode | undefined;
  readonly toolCalls: readonly string[];
  /** What each of these is called with, as JSON or text; empty where it is not known. */
  readonly toolArguments: readonly string[];
  /** Text of each choice or block, and the name that it stands under. */
  readonly texts: readonly NamedText[];
}

export type DocumentLayout = (tree: JsonNode) => DocumentReading;

/** The members with these names that are strings and not empty, in that order. */
export function stringsIn(node: JsonNode | undefined, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const value = member(node, name);
    return value?.kind === 'string' && value.value !== '' ? [value.value] : [];
  });
}

/** The same, each with its name. */
export function textsIn(node: JsonNode | undefined, names: readonly string[]): NamedText[] {
  return names.flatMap((name) => stringsIn(node, [name]).map((text): NamedText => [name, text]));
}
