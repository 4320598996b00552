import type { ModelUsage } from '../../core/events.js';
import { matchesGlob } from '../../core/glob.js';
import type { ModelPrice } from '../../core/resources.js';

/** What a request will take at most, before the upstream has counted it. */
export interface UsageEstimate {
  readonly tokens: number;
  /** US dollars; undefined where no price is known for the model. */
  readonly costUsd: number | undefined;
}

/** Of English text; other text takes more, which shows when the answer's own figures come. */
const CHARACTERS_PER_TOKEN = 4;
const PER_MILLION = 1_000_000;
/** More than any request; what a caller or an upstream writes must not overflow a counter. */
const MAX_TOKENS = 1_000_000_000;

/**
 * @param model as the request names it, those of a batch joined by `,`: then the dearest counts
 * @returns US dollars by the first price whose pattern fits, whatever the case; undefined where a model has none
 */
export function costOf(prices: readonly ModelPrice[], model: string, usage: ModelUsage): number | undefined {
  const inputTokens = wholeTokens(usage.inputTokens);
  const outputTokens = wholeTokens(usage.outputTokens);
  // Parts of the input, whatever the upstream says: it costs no less than nothing.
  const cached = Math.min(wholeTokens(usage.cachedInputTokens ?? 0), inputTokens);
  const written = Math.min(wholeTokens(usage.cacheWriteTokens ?? 0), inputTokens - cached);
  const costs = model
    .toLowerCase()
    .split(',')
    .map((name) => {
      const price = prices.find((one) => matchesGlob(one.model.toLowerCase(), name));
      if (price === undefined) return Number.NaN;
      const { inputPerMillion, outputPerMillion, cachedInputPerMillion, cacheWritePerMillion } = price;
      const spent =
        (inputTokens - cached - written) * inputPerMillion +
        cached * (cachedInputPerMillion ?? inputPerMillion) +
        written * (cacheWritePerMillion ?? inputPerMillion) +
        outputTokens * outputPerMillion;
      return spent / PER_MILLION;
    });
  const dearest = Math.max(...costs);
  return Number.isNaN(dearest) ? undefined : dearest;
}

/**
 * @param model empty where the request is none of a model: it takes no tokens
 * @param promptCharacters of all text that goes to the model
 * @param maxTokens the most that the request lets the model write, where it says
 */
export function estimateUsage(
  prices: readonly ModelPrice[],
  model: string,
  promptCharacters: number,
  maxTokens: number | undefined,
): UsageEstimate {
  if (model === '') return { tokens: 0, costUsd: 0 };
  // At least one: what holds no text (an image, a file by its id) must not pass a limit that is used up.
  const inputTokens = Math.max(1, tokensOf(promptCharacters));
  const outputTokens = wholeTokens(maxTokens ?? 0);
  return { tokens: inputTokens + outputTokens, costUsd: costOf(prices, model, { inputTokens, outputTokens }) };
}

/** @param characters of a text of which nobody counted the tokens */
export function tokensOf(characters: number): number {
  return Math.ceil(characters / CHARACTERS_PER_TOKEN);
}

/** What was written by others as a count of tokens: whole, not negative, bounded. */
export function wholeTokens(given: number): number {
  return given > 0 ? Math.min(Math.ceil(given), MAX_TOKENS) : 0;
}
