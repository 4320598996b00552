import { member } from '../../core/json-tree.js';
import type { JsonNode } from '../../core/json-tree.js';
import type { EventReading } from '../http/answers/answer-layout.js';
import type { KnownTexts } from '../http/answers/known-texts.js';
import { modelUsageOf } from '../http/model-usage.js';
import { AUDIO, readResponseEvent } from './responses-layout.js';

const TYPES =
  /^(?:error$|(?:response|conversation|session|transcription_session|rate_limits|(?:in|out)put_audio_buffer|mcp_list_tools)\.)/;
const NOTHING: EventReading = { pieces: [], ends: () => false, toolCalls: [] };

/**
 * Events of the Realtime API, a message of a WebSocket each: text, transcripts and arguments of tools come in pieces, as
 * in the Responses API, and are over with their `….done`, their item, or the response.
 *
 * @see https://platform.openai.com/docs/api-reference/realtime-server-events
 */
export const REALTIME_TEXTS: KnownTexts = {
  hint: /"type"\s*:\s*"(?:error"|[a-z_]+\.)/,
  knows: (tree) => TYPES.test(typeOf(tree)),
  // An error of a session is not its end.
  layout: (tree, data) => (typeOf(tree) === 'error' ? NOTHING : readResponseEvent(tree, data, '')),
  unread: (tree) => (AUDIO.has(typeOf(tree)) ? 'audio' : ''),
  usageOf: modelUsageOf,
};

function typeOf(tree: JsonNode): string {
  const type = member(tree, 'type');
  return type?.kind === 'string' ? type.value : '';
}
