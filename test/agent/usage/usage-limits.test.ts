import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UsageLimits, type BegunUsage } from '../../../src/agent/usage/usage-limits.js';
import type { ApplyingLimit } from '../../../src/policy/limits.js';
import type { LimitAmount } from '../../../src/policy/types.js';
import { openStore, type Store } from '../../../src/store/store.js';
import { makeFolder } from '../../support/folders.js';

let folder = '';
let nowMs = 0;
let store: Store;
let limits: UsageLimits;
const logged: string[] = [];

function open(): void {
  store = openStore({ path: join(folder, 'hoop.db'), nowMs: () => nowMs });
  limits = new UsageLimits(
    store.usage,
    () => nowMs,
    (message) => logged.push(message),
  );
}
beforeEach(() => {
  folder = makeFolder('usage');
  nowMs = Date.UTC(2026, 10, 30, 23, 59, 30);
  logged.length = 0;
  open();
});
afterEach(() => {
  store.close();
});

const amount = (kind: LimitAmount['kind'], most: number, span: LimitAmount['span'] = 'minute'): LimitAmount => ({
  kind,
  span,
  most,
});
const limit = (amounts: readonly LimitAmount[], changes: Partial<ApplyingLimit> = {}): ApplyingLimit => ({
  policy: 'team',
  name: 'budget',
  message: '',
  observed: false,
  keys: ['all'],
  amounts,
  ...changes,
});
const begin = (one: ApplyingLimit, tokens = 0, costUsd: number | undefined = 0): BegunUsage =>
  limits.begin([one], { tokens, costUsd });
const began = (one: ApplyingLimit, times: number): number =>
  Array.from({ length: times }, () => begin(one)).filter((result) => result.refused === undefined).length;

describe('a limit of requests', () => {
  it('lets 10 of 50 requests begin that come at once, and says when to come again', async () => {
    const one = limit([amount('requests', 10)], { message: 'Slow down.' });
    const results = await Promise.all(Array.from({ length: 50 }, () => Promise.resolve().then(() => begin(one))));
    expect(results.filter((result) => result.ticket !== undefined)).toHaveLength(10);
    expect(results[10]).toEqual({
      ticket: undefined,
      observed: [],
      refused: {
        policy: 'team',
        rule: 'budget',
        action: 'block',
        observed: false,
        message: 'Slow down. (the limit of 10 requests a minute is reached)',
        kind: 'requests',
        retryAfterSeconds: 30,
      },
    });
  });

  it('begins anew with the minute, day and month of UTC', () => {
    const each = (['minute', 'day', 'month'] as const).map((span) =>
      limit([amount('requests', 1, span)], { name: span, keys: [span] }),
    );
    const left = (): number[] => each.map((one) => began(one, 2));
    expect(left()).toEqual([1, 1, 1]);
    nowMs = Date.UTC(2026, 10, 30, 23, 59, 59, 999);
    expect(left()).toEqual([0, 0, 0]);
    nowMs += 1;
    expect(left()).toEqual([1, 1, 1]);
    nowMs += 60_000;
    expect(left()).toEqual([1, 0, 0]);
    nowMs += 86_400_000;
    expect(left()).toEqual([1, 1, 0]);
    nowMs = Date.UTC(2027, 0, 1);
    expect(left()).toEqual([1, 1, 1]);
  });

  it('counts 2 users apart, and a caller of 2 groups for both', () => {
    const of = (...keys: string[]): ApplyingLimit => limit([amount('requests', 2)], { keys });
    expect(began(of('ann'), 3)).toBe(2);
    expect(began(of('bob'), 3)).toBe(2);
    expect(began(of('web', 'ops'), 1)).toBe(1);
    expect(began(of('web'), 3)).toBe(1);
    expect(began(of('web', 'ops'), 1)).toBe(0);
    expect(began(of('ops'), 3)).toBe(1);
  });

  it('does not count what another limit refuses', () => {
    const wide = limit([amount('requests', 5)], { name: 'wide', keys: ['wide'] });
    const narrow = limit([amount('requests', 1)], { name: 'narrow', keys: ['narrow'] });
    const both = Array.from({ length: 4 }, () => limits.begin([wide, narrow], { tokens: 0, costUsd: 0 }));
    expect(both.map((result) => result.refused?.rule)).toEqual([undefined, 'narrow', 'narrow', 'narrow']);
    expect(began(wide, 9)).toBe(4);
  });

  it('names the limit that lasts longest of those that are used up', () => {
    const amounts = [amount('requests', 1), amount('requests', 1, 'day')];
    const [minute, day] = [limit(amounts.slice(0, 1), { name: 'a' }), limit(amounts, { name: 'b', keys: ['b'] })];
    limits.begin([minute, day], { tokens: 0, costUsd: 0 });
    nowMs -= 3_600_000;
    limits.begin([minute], { tokens: 0, costUsd: 0 });
    const { refused } = limits.begin([minute, day], { tokens: 0, costUsd: 0 });
    expect(refused).toMatchObject({ rule: 'b', retryAfterSeconds: 3_630 });
    expect(refused?.message).toBe('the limit of 1 requests a day is reached');
  });
});

describe('a limit of tokens', () => {
  it('reserves what a request may take, so that 20 at once stay within 1,000', () => {
    const one = limit([amount('tokens', 1_000)]);
    const tickets = Array.from({ length: 20 }, () => begin(one, 300).ticket).filter((ticket) => ticket !== undefined);
    expect(tickets).toHaveLength(3);
    for (const ticket of tickets) limits.settle(ticket, { inputTokens: 40, outputTokens: 60 }, undefined);
    expect(begin(one, 701).refused?.kind).toBe('tokens');
    expect(begin(one, 700).refused).toBeUndefined();
  });

  it('settles once, and keeps what was reserved where the figures are not known', () => {
    const one = limit([amount('tokens', 100)]);
    const first = begin(one, 50).ticket;
    limits.settle(first, undefined, undefined);
    limits.settle(first, { inputTokens: 0, outputTokens: 0 }, undefined);
    expect(begin(one, 51).refused).toBeDefined();
    const second = begin(one, 50).ticket;
    limits.settle(second, { inputTokens: 0, outputTokens: 0 }, undefined);
    limits.settle(second, { inputTokens: 0, outputTokens: 0 }, undefined);
    expect(begin(one, 50).refused).toBeUndefined();
    expect(begin(one, 1).refused).toBeDefined();
  });

  it('counts an answer in the span in which its request began', () => {
    const one = limit([amount('tokens', 100)]);
    const { ticket } = begin(one, 10);
    nowMs += 60_000;
    limits.settle(ticket, { inputTokens: 5_000, outputTokens: 5_000 }, undefined);
    expect(begin(one, 100).refused).toBeUndefined();
  });

  it('passes what takes no tokens even when it is used up, and counts absurd figures as bounded ones', () => {
    const one = limit([amount('tokens', 100)]);
    for (const figure of [Number.NaN, -5, Number.POSITIVE_INFINITY]) {
      const { ticket } = begin(limit([amount('tokens', 1e15)], { keys: ['wide'] }), 1);
      limits.settle(ticket, { inputTokens: figure, outputTokens: 0 }, Number.NaN);
    }
    store.usage.flush();
    limits.settle(begin(one, 1).ticket, { inputTokens: 5_000, outputTokens: 0 }, undefined);
    expect(begin(one, 0).refused).toBeUndefined();
    expect(begin(one, 1).refused).toBeDefined();
  });
});

describe('a limit of spending', () => {
  const one = limit([amount('spend', 1, 'day')]);

  it('holds what was reserved and then what it cost', () => {
    const { ticket } = begin(one, 10, 0.9);
    expect(begin(one, 10, 0.2).refused?.message).toBe('the limit of 1 US dollars a day is reached');
    limits.settle(ticket, { inputTokens: 1, outputTokens: 1 }, 0.1);
    expect(begin(one, 10, 0.85).refused).toBeUndefined();
    expect(begin(one, 10, 0.1).refused?.kind).toBe('spend');
  });

  it('refuses a model without a price, and says that waiting does not help', () => {
    expect(limits.begin([one], { tokens: 10, costUsd: undefined }).refused).toMatchObject({
      kind: 'price',
      retryAfterSeconds: 0,
      message: 'no price is configured for this model, so its spending can not be limited',
    });
  });
});

describe('limits of an observing policy', () => {
  it('refuse nothing, say what they would have refused, and go on counting', () => {
    const watched = limit([amount('requests', 1)], { observed: true });
    expect(begin(watched)).toMatchObject({ refused: undefined, observed: [] });
    const second = begin(watched);
    expect(second.refused).toBeUndefined();
    expect(second.observed).toMatchObject([{ policy: 'team', rule: 'budget', observed: true, kind: 'requests' }]);
    expect(second.ticket).toBeDefined();
  });
});

describe('what was counted', () => {
  it('outlives the agent: closed after 3 of 5, it lets 2 more begin', () => {
    const one = limit([amount('requests', 5, 'day'), amount('tokens', 1_000, 'month')]);
    expect(began(one, 3)).toBe(3);
    const { ticket } = begin(limit([amount('spend', 9, 'month')], { keys: ['usd'] }), 10, 4);
    limits.settle(ticket, { inputTokens: 10, outputTokens: 0 }, 8.5);
    store.close();
    open();
    expect(began(one, 5)).toBe(2);
    expect(begin(limit([amount('spend', 9, 'month')], { keys: ['usd'] }), 10, 0.6).refused?.kind).toBe('spend');
  });

  it('is needed: where the store can not be written or read, what enforces refuses and what observes passes', () => {
    store.close();
    const one = limit([amount('requests', 5)]);
    expect(begin(one).refused).toMatchObject({ kind: 'store', rule: 'budget', retryAfterSeconds: 0 });
    expect(begin({ ...one, observed: true })).toEqual({ refused: undefined, observed: [], ticket: undefined });
    expect(limits.begin([], { tokens: 9, costUsd: undefined }).refused).toBeUndefined();
    expect(logged).toHaveLength(2);
  });

  it('stays when an answer comes after the store was closed', () => {
    const { ticket } = begin(limit([amount('tokens', 100)]), 60);
    store.close();
    limits.settle(ticket, { inputTokens: 1, outputTokens: 1 }, undefined);
    expect(logged).toEqual(['usage can not be counted: what was reserved stays counted']);
    open();
    expect(begin(limit([amount('tokens', 100)]), 41).refused).toBeDefined();
  });
});
