import type { JsonNode } from '../../../core/json-tree.js';
import type { EventLayout, EventReading } from './answer-layout.js';
import { PlainLayout } from './plain-layout.js';

/** Reads an event of a kind that it knows; undefined of any other. */
export type KnownEvents = (tree: JsonNode, data: string, name: string) => EventReading | undefined;

/** Keeps the texts of events that nobody knows apart from those of others. */
const UNKNOWN = 'unknown:';

/**
 * The layout of a stream of a server of models: each event as the first reads it that knows it, any other as in a stream of
 * which nothing is known. What a server sends is not told by where it was asked, nor by the type of the connection.
 *
 * One for each stream.
 */
export function layoutOf(known: readonly KnownEvents[]): EventLayout {
  const plain = new PlainLayout();
  return (tree, data, name) => {
    for (const read of known) {
      const reading = read(tree, data, name);
      if (reading !== undefined) return reading;
    }
    const { pieces, ends, toolCalls } = plain.json(tree, data, name);
    return {
      pieces: pieces.map((piece) => ({ ...piece, key: UNKNOWN + piece.key })),
      ends: (key) => key.startsWith(UNKNOWN) && ends(key.slice(UNKNOWN.length)),
      begins: (key) => key.startsWith(UNKNOWN),
      toolCalls,
    };
  };
}
