import { isObject, listOf, textIn, type JsonObject } from './answer.js';
import type { NewestMessage } from './script.js';

/**
 * The newest message of any request: of `messages` (chat completions, Anthropic), of `input` (responses, embeddings) or
 * `prompt` (completions).
 */
export function newestMessage(body: JsonObject): NewestMessage {
  const input = body['messages'] ?? body['input'] ?? body['prompt'];
  if (typeof input === 'string') return { from: 'user', text: input };
  const newest = listOf(input).at(-1);
  if (typeof newest === 'string') return { from: 'user', text: newest };
  if (!isObject(newest)) return { from: 'user', text: '' };
  if (newest['type'] === 'function_call_output') return { from: 'tool', text: partsText(newest['output']) };
  const result = listOf(newest['content'])
    .filter(isObject)
    .find((part) => part['type'] === 'tool_result');
  if (result !== undefined) return { from: 'tool', text: partsText(result['content']) };
  return { from: newest['role'] === 'tool' ? 'tool' : 'user', text: partsText(newest['content']) };
}

/** Text, or parts that hold text. */
function partsText(content: unknown): string {
  if (typeof content === 'string') return content;
  return listOf(content)
    .filter(isObject)
    .map((part) => textIn(part['text']))
    .filter((text) => text !== '')
    .join('\n');
}
