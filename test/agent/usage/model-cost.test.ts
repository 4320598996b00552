import { describe, expect, it } from 'vitest';
import { costOf, estimateUsage, wholeTokens } from '../../../src/agent/usage/model-cost.js';

const prices = [
  { model: 'gpt-4o-mini*', inputPerMillion: 0.15, outputPerMillion: 0.6 },
  { model: 'gpt-4o*', inputPerMillion: 2.5, outputPerMillion: 10 },
  { model: 'free', inputPerMillion: 0, outputPerMillion: 0 },
];

describe('costOf', () => {
  it('takes the first price whose pattern fits, whatever the case', () => {
    const usage = { inputTokens: 1_000_000, outputTokens: 100_000 };
    expect(costOf(prices, 'gpt-4o-mini-2024', usage)).toBeCloseTo(0.21, 10);
    expect(costOf(prices, 'GPT-4o', usage)).toBeCloseTo(3.5, 10);
    expect(costOf(prices, 'free', usage)).toBe(0);
    expect(costOf(prices, 'o1', usage)).toBeUndefined();
    expect(costOf([], 'gpt-4o', usage)).toBeUndefined();
  });

  it('takes the dearest of a batch, and knows none where one model has none', () => {
    const usage = { inputTokens: 1_000_000, outputTokens: 0 };
    expect(costOf(prices, 'free,gpt-4o,gpt-4o-mini', usage)).toBeCloseTo(2.5, 10);
    expect(costOf(prices, 'gpt-4o,o1', usage)).toBeUndefined();
  });

  it('has prices of their own for input from a cache and to one, where the connection names them', () => {
    const usage = { inputTokens: 1_000_000, outputTokens: 0, cachedInputTokens: 600_000, cacheWriteTokens: 100_000 };
    const cached = { model: 'c', inputPerMillion: 3, outputPerMillion: 15, cachedInputPerMillion: 0.3 };
    expect(costOf([cached], 'c', usage)).toBeCloseTo(0.4 * 3 + 0.6 * 0.3, 10);
    expect(costOf([{ ...cached, cacheWritePerMillion: 3.75 }], 'c', usage)).toBeCloseTo(0.3 * 3 + 0.18 + 0.375, 10);
    expect(costOf(prices, 'gpt-4o', usage)).toBeCloseTo(2.5, 10);
  });

  it('takes no more from a cache than there was input', () => {
    const usage = { inputTokens: 10, outputTokens: 0, cachedInputTokens: 1e12, cacheWriteTokens: 1e12 };
    const cached = { model: 'c', inputPerMillion: 1e6, outputPerMillion: 0, cachedInputPerMillion: 0 };
    expect(costOf([cached], 'c', usage)).toBe(0);
    expect(costOf([cached], 'c', { ...usage, cachedInputTokens: -5 })).toBe(10);
  });

  it('never becomes negative or NaN by what an upstream says', () => {
    expect(costOf(prices, 'gpt-4o', { inputTokens: -9, outputTokens: Number.NaN })).toBe(0);
  });
});

describe('estimateUsage', () => {
  it('takes 4 characters for a token, and the most that may be written', () => {
    expect(estimateUsage(prices, 'gpt-4o', 4_001, 500)).toEqual({ tokens: 1_501, costUsd: 0.007_502_5 });
    expect(estimateUsage(prices, 'gpt-4o', 8, undefined).tokens).toBe(2);
    expect(estimateUsage(prices, 'o1', 8, 10)).toEqual({ tokens: 12, costUsd: undefined });
  });

  it('is nothing for what is no request of a model, at least 1 token for one without text, bounded for 1e300', () => {
    expect(estimateUsage(prices, '', 4_000, 500)).toEqual({ tokens: 0, costUsd: 0 });
    expect(estimateUsage(prices, 'o1', 0, -7).tokens).toBe(1);
    expect(estimateUsage(prices, 'o1', 0, 1e300).tokens).toBe(1_000_000_001);
  });
});

describe('wholeTokens', () => {
  it('is whole, from 0 to 1,000,000,000', () => {
    expect([1.2, -1, Number.NaN, Number.POSITIVE_INFINITY, 7].map(wholeTokens)).toEqual([2, 0, 0, 1_000_000_000, 7]);
  });
});
