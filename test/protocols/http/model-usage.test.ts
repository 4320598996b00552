import { describe, expect, it } from 'vitest';
import { isFault } from '../../../src/core/errors.js';
import { parseJsonTree } from '../../../src/core/json-tree.js';
import { modelUsageOf, usageNumbers } from '../../../src/protocols/http/model-usage.js';

function usageIn(usage: object): ReturnType<typeof modelUsageOf> {
  const tree = parseJsonTree(JSON.stringify(usage));
  if (isFault(tree)) throw new Error(tree.message);
  return modelUsageOf(new Map(usageNumbers(tree)));
}

describe('what a provider says of its cache', () => {
  it.each([
    ['chat completions', { prompt_tokens: 20, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 12 } }],
    ['responses', { input_tokens: 20, output_tokens: 3, input_tokens_details: { cached_tokens: 12 } }],
    [
      'realtime',
      {
        input_tokens: 20,
        output_tokens: 3,
        input_token_details: { cached_tokens: 12, text_tokens: 8, audio_tokens: 0 },
      },
    ],
    ['servers that tell hits', { prompt_tokens: 20, completion_tokens: 3, prompt_cache_hit_tokens: 12 }],
    ['messages, beside the input', { input_tokens: 8, output_tokens: 3, cache_read_input_tokens: 12 }],
  ])('is a part of the input: %s', (_of, usage) => {
    expect(usageIn(usage)).toEqual({ inputTokens: 20, outputTokens: 3, cachedInputTokens: 12 });
  });

  it('is told apart from what was written to it', () => {
    const usage = { input_tokens: 5, output_tokens: 3, cache_read_input_tokens: 12, cache_creation_input_tokens: 7 };
    const told = { inputTokens: 24, outputTokens: 3, cachedInputTokens: 12, cacheWriteTokens: 7 };
    expect(usageIn(usage)).toEqual(told);
  });

  it('is not told where nothing was cached', () => {
    const usage = { prompt_tokens: 20, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 0 } };
    expect(usageIn(usage)).toEqual({ inputTokens: 20, outputTokens: 3 });
  });
});
