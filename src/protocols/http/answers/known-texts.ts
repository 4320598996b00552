import type { JsonNode } from '../../../core/json-tree.js';
import type { EventLayout } from './answer-layout.js';
import type { UsageOf } from './answer-record.js';

/** A way of sending a text in pieces that is known wherever it is met: in JSON line by line, in messages of a WebSocket. */
export interface KnownTexts {
  /** Cheap: what does not look so is not read. */
  readonly hint: RegExp;
  /** Is it an event of this way? */
  knows(tree: JsonNode): boolean;
  readonly layout: EventLayout;
  /** What of this event can't be read as text, in a word; empty where all can. Absent: all can. */
  unread?(tree: JsonNode): string;
  readonly usageOf: UsageOf;
}
