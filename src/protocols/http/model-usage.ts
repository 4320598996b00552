import type { ModelUsage } from '../../core/events.js';
import type { JsonNode } from '../../core/json-tree.js';

/** Objects of a `usage` that say what its counts are made of. */
const DETAILS = /^(?:prompt|input)_tokens?_details$/;

/** The numbers in a `usage`, in the order of the text; what a count is made of under `input_tokens_details.cached_tokens`. */
export function* usageNumbers(usage: JsonNode | undefined): Generator<readonly [name: string, value: number]> {
  if (usage?.kind !== 'object') return;
  for (const { name, value } of usage.members) {
    if (value.kind === 'number') yield [name, value.value];
    if (value.kind === 'object' && DETAILS.test(name))
      for (const detail of value.members)
        if (detail.value.kind === 'number') yield [`${name}.${detail.name}`, detail.value.value];
  }
}

/** Where the tokens are told that were read from a cache and are a part of the input; the Realtime API says `input_token_details`. */
const CACHED = [
  ...['prompt_tokens_details', 'input_tokens_details', 'input_token_details'].map((name) => `${name}.cached_tokens`),
  'prompt_cache_hit_tokens',
];

/**
 * What a `usage` comes to in OpenAI's words or Anthropic's: chat completions and embeddings say `prompt_tokens`, Responses
 * and messages `input_tokens`. What was read from a cache or written to one is input: of messages it stands beside the
 * input, elsewhere it is a part of it.
 */
export function modelUsageOf(members: ReadonlyMap<string, number>): ModelUsage | undefined {
  const input = members.get('prompt_tokens') ?? members.get('input_tokens');
  const output = members.get('completion_tokens') ?? members.get('output_tokens');
  if (input === undefined && output === undefined) return undefined;
  const written = members.get('cache_creation_input_tokens');
  const read = members.get('cache_read_input_tokens');
  const cached = read ?? CACHED.map((name) => members.get(name)).find((tokens) => tokens !== undefined);
  return {
    inputTokens: (input ?? 0) + (written ?? 0) + (read ?? 0),
    outputTokens: output ?? 0,
    ...(cached === undefined || cached === 0 ? {} : { cachedInputTokens: cached }),
    ...(written === undefined || written === 0 ? {} : { cacheWriteTokens: written }),
  };
}
