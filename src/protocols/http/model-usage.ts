import type { ModelUsage } from '../../core/events.js';

/**
 * What a `usage` comes to in OpenAI's words or Anthropic's: chat completions and embeddings say `prompt_tokens`, Responses
 * and messages `input_tokens`. What was read from a cache or written to one is input: of messages it stands beside the
 * input, elsewhere it is a part of it.
 */
export function modelUsageOf(members: ReadonlyMap<string, number>): ModelUsage | undefined {
  const input = members.get('prompt_tokens') ?? members.get('input_tokens');
  const output = members.get('completion_tokens') ?? members.get('output_tokens');
  if (input === undefined && output === undefined) return undefined;
  const cached = (members.get('cache_creation_input_tokens') ?? 0) + (members.get('cache_read_input_tokens') ?? 0);
  return { inputTokens: (input ?? 0) + cached, outputTokens: output ?? 0 };
}
