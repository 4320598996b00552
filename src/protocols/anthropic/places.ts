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
  'name',
  'custom_id',
  'tool_use_id',
  'tool_name',
  'server_name',
  'mcp_server_name',
  'container',
  'skill_id',
  'version',
  'media_type',
  'ttl',
  'scope',
  'effort',
  'display',
  'error_code',
  'service_tier',
  'speed',
  'inference_geo',
  'allowed_callers',
]);

/** Made by the model's provider for itself. */
const SEALED = new Set(['signature', 'encrypted_content', 'encrypted_index', 'encrypted_stdout']);

/** Kinds of blocks whose content is known to stand in the body as text, or is told as something else. */
const KNOWN_KINDS = new Set([
  ...['text', 'image', 'document', 'search_result', 'thinking', 'redacted_thinking', 'tool_use', 'tool_result'],
  ...['server_tool_use', 'web_search_tool_result', 'web_search_result', 'web_search_tool_result_error'],
  ...['web_fetch_tool_result', 'web_fetch_result', 'web_fetch_tool_result_error'],
  ...[
    'code_execution_tool_result',
    'code_execution_result',
    'code_execution_output',
    'code_execution_tool_result_error',
  ],
  ...['encrypted_code_execution_result', 'bash_code_execution_tool_result', 'bash_code_execution_result'],
  ...['bash_code_execution_output', 'bash_code_execution_tool_result_error'],
  ...['text_editor_code_execution_tool_result', 'text_editor_code_execution_view_result'],
  ...['text_editor_code_execution_create_result', 'text_editor_code_execution_str_replace_result'],
  ...['text_editor_code_execution_tool_result_error', 'tool_search_tool_result', 'tool_search_tool_search_result'],
  ...['tool_search_tool_result_error', 'tool_reference', 'container_upload', 'mcp_tool_use', 'mcp_tool_result'],
  ...['compaction', 'fallback', 'tool_addition', 'tool_removal', 'mcp_tool_listing'],
  ...['advisor_tool_result', 'advisor_result', 'advisor_redacted_result', 'advisor_tool_result_error'],
]);

const CONTENT_LISTS = new Set(['content', 'system', 'messages']);
const TOOL_USES = new Set(['tool_use', 'server_tool_use', 'mcp_tool_use']);
const FREE = new Set(['input_schema', 'input_examples', 'schema', 'metadata']);

/**
 * Where content stands in requests of Anthropic's API and of those that speak like it.
 *
 * @see https://docs.anthropic.com/en/api/messages
 */
export const ANTHROPIC_PLACES: BodyPlaces = {
  place,
  free: (name, parent) => FREE.has(name) || (name === 'input' && TOOL_USES.has(stringIn(parent, 'type'))),
  unknown: (object, name) => {
    if (!CONTENT_LISTS.has(name)) return undefined;
    const kind = member(object, 'type');
    if (kind === undefined || (kind.kind === 'string' && KNOWN_KINDS.has(kind.value))) return undefined;
    return 'content of an unknown kind';
  },
};

function place(name: string, value: string, parent: JsonObject | undefined): Place {
  const type = stringIn(parent, 'type');
  if (name === 'file_id') return { foreign: 'a file by its id' };
  // The source of an image or document.
  if (name === 'url' && type === 'url') return { foreign: 'a file at an address' };
  if (name === 'data' && type === 'base64') return 'file';
  if (SEALED.has(name) || (name === 'data' && type === 'redacted_thinking')) return sealedOrText(value);
  return WORDS.has(name) ? wordOrText(value) : 'text';
}
