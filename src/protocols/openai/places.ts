import { member } from '../../core/json-tree.js';
import type { JsonObject } from '../../core/json-tree.js';
import { sealedOrText, wordOrText } from '../http/bodies/body-places.js';
import type { BodyPlaces, Place } from '../http/bodies/body-places.js';
import { stringIn } from '../http/prompt-reader.js';

/** Names, ids and kinds. */
const WORDS = new Set([
  'model',
  'role',
  'type',
  'id',
  'object',
  'name',
  'status',
  'phase',
  'mode',
  'syntax',
  'call_id',
  'item_id',
  'turn_id',
  'content_item_kinds',
  'namespace',
  'tool_call_id',
  'approval_request_id',
  'previous_response_id',
  'conversation',
  'assistant_id',
  'vector_store_ids',
  'container',
  'container_id',
  'connector_id',
  'server_label',
  'tool_choice',
  'function_call',
  'response_format',
  'format',
  'output_format',
  'encoding_format',
  'mime_type',
  'media_type',
  'detail',
  'include',
  'modalities',
  'effort',
  'reasoning_effort',
  'verbosity',
  'service_tier',
  'prompt_cache_key',
  'prompt_cache_retention',
  'truncation',
  'voice',
  'size',
  'quality',
  'background',
  'endpoint',
  'completion_window',
]);

/** Content that is elsewhere, or no text, by the name it stands under. */
const FOREIGN = new Map([
  ['image_url', 'an image'],
  ['video_url', 'video'],
  ['audio_url', 'audio'],
  ['file_url', 'a file at an address'],
  ['file_id', 'a file by its id'],
  ['file_ids', 'a file by its id'],
  ['input_file_id', 'a file by its id'],
]);

/** Kinds of items and parts whose content is known to stand in the body as text, or under names of `FOREIGN`. */
const KNOWN_KINDS = new Set([
  ...['text', 'refusal', 'image_url', 'input_audio', 'file', 'function', 'custom', 'image_file'],
  ...[
    'input_text',
    'output_text',
    'input_image',
    'input_file',
    'summary_text',
    'reasoning_text',
    'reasoning',
    'message',
  ],
  ...['function_call', 'function_call_output', 'custom_tool_call', 'custom_tool_call_output', 'item_reference'],
  ...['web_search_call', 'file_search_call', 'code_interpreter_call', 'image_generation_call', 'computer_call'],
  ...['computer_call_output', 'computer_screenshot', 'local_shell_call', 'local_shell_call_output', 'shell_call'],
  ...['shell_call_output', 'apply_patch_call', 'apply_patch_call_output', 'mcp_call', 'mcp_list_tools'],
  ...['mcp_approval_request', 'mcp_approval_response', 'tool_search_call', 'tool_search_output', 'compaction'],
  ...['logs', 'image'],
  // Codex: tools in the middle of a conversation, what its agents tell each other, what it made shorter.
  ...['additional_tools', 'agent_message', 'configuration_update', 'compaction_trigger', 'compaction_summary'],
  'context_compaction',
]);

const CONTENT_LISTS = new Set(['content', 'input', 'output', 'outputs', 'items', 'messages']);
const FREE = new Set(['parameters', 'schema', 'metadata', 'headers', 'logit_bias']);

/**
 * Where content stands in requests of OpenAI's API and of those that speak like it.
 *
 * @see https://platform.openai.com/docs/api-reference
 */
export const OPENAI_PLACES: BodyPlaces = {
  place: (name, value, parent) => foreignPlace(name, parent) ?? ownPlace(name, value, parent),
  free: (name) => FREE.has(name),
  unknown: unknownKind,
};

function foreignPlace(name: string, parent: JsonObject | undefined): Place | undefined {
  const kind = FOREIGN.get(name);
  if (kind !== undefined) return { foreign: kind };
  // `image_url: { url }`, `input_audio: { data, format }`, `{ type: 'image_generation_call', result }`
  if (name === 'url' && member(parent, 'type') === undefined && isMediaObject(parent)) return { foreign: 'an image' };
  if (name === 'data' && member(parent, 'format') !== undefined) return { foreign: 'audio' };
  if (name === 'result' && stringIn(parent, 'type') === 'image_generation_call') return { foreign: 'an image' };
  return undefined;
}

function ownPlace(name: string, value: string, parent: JsonObject | undefined): Place {
  if (name === 'file_data') return 'file';
  if (name === 'arguments') return 'json';
  if (name === 'encrypted_content') return sealedOrText(value);
  // Of a message: the name of one of several who speak, which the model reads.
  if (name === 'name' && member(parent, 'role') !== undefined) return 'text';
  return WORDS.has(name) ? wordOrText(value) : 'text';
}

/** `{ url, detail? }` and nothing else. */
function isMediaObject(object: JsonObject | undefined): boolean {
  return object !== undefined && object.members.every(({ name }) => name === 'url' || name === 'detail');
}

function unknownKind(object: JsonObject, name: string): string | undefined {
  if (name === 'prompt' && member(object, 'id') !== undefined) return 'a stored prompt';
  if (!CONTENT_LISTS.has(name)) return undefined;
  const kind = member(object, 'type');
  if (kind === undefined || (kind.kind === 'string' && KNOWN_KINDS.has(kind.value))) return undefined;
  return 'content of an unknown kind';
}
