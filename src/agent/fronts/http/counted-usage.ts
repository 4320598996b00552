import type { DecisionEvent, ModelUsage } from '../../../core/events.js';
import type { HttpConnection } from '../../../core/resources.js';
import { limitsFor } from '../../../policy/limits.js';
import type { Context } from '../../../policy/types.js';
import type { RequestReading } from '../../../protocols/http/dialect.js';
import { costOf, estimateUsage, wholeTokens } from '../../usage/model-cost.js';
import type { LimitRefusal, UsageLimits, UsageTicket } from '../../usage/usage-limits.js';
import type { ConnectionRules } from './connection-rules.js';
import type { Used } from './exchange-events.js';

const NOTHING: ModelUsage = { inputTokens: 0, outputTokens: 0 };

/** One request as the limits count it. */
export interface CountedUsage {
  /** Set where it must not go on. */
  readonly refused: LimitRefusal | undefined;
  /** What the record says of limits that it met; undefined where there is nothing to say. */
  readonly event: DecisionEvent | undefined;
  /**
   * Puts what was used in the place of what was reserved. Where nobody told, the longer of what was reserved and what
   * came counts: an answer that is long and silent about it, or cut off, is not free.
   *
   * @returns US dollars; undefined where the model has no price or its usage is not known
   */
  settle(used: Used): number | undefined;
}

/** What of a request is counted before it is answered. */
export interface CountedRequest {
  readonly model: string;
  /** Of all text that goes to the model with it. */
  readonly promptCharacters: number;
  readonly mostTokens: number;
  /** As the record numbers it. */
  readonly statement: number;
}

export function countedRequest({ model, facts, mostTokens }: RequestReading, statement = 1): CountedRequest {
  const prompt = facts.llm?.['prompt'];
  const promptCharacters = typeof prompt === 'string' ? prompt.length : 0;
  return { model, promptCharacters, mostTokens: mostTokens ?? 0, statement };
}

/** Counts a request that is about to go up. */
export function countUsage(
  usage: UsageLimits,
  rules: ConnectionRules,
  context: Context,
  connection: Pick<HttpConnection, 'prices'>,
  request: CountedRequest,
): CountedUsage {
  const { model, statement } = request;
  const { refused, observed, ticket, asked } = begin(usage, rules, context, connection, request);
  const met = refused !== undefined || observed.length > 0;
  return {
    refused,
    event: met ? { ...eventOf(refused, observed, rules.policy.hash), statement } : undefined,
    settle: ({ usage: told, writtenTokens }) => {
      const costUsd = told === undefined ? undefined : costOf(connection.prices, model, told);
      const used = told ?? (writtenTokens > asked.outputTokens ? { ...asked, outputTokens: writtenTokens } : undefined);
      usage.settle(ticket, used, used === undefined ? undefined : costOf(connection.prices, model, used));
      // Sums of binary fractions: a billionth of a dollar is exact enough, and short.
      return costUsd === undefined ? undefined : Math.round(costUsd * 1e9) / 1e9;
    },
  };
}

function begin(
  usage: UsageLimits,
  rules: ConnectionRules,
  context: Context,
  { prices }: Pick<HttpConnection, 'prices'>,
  { model, promptCharacters, mostTokens }: CountedRequest,
): {
  refused: LimitRefusal | undefined;
  observed: readonly LimitRefusal[];
  ticket: UsageTicket | undefined;
  asked: ModelUsage;
} {
  if (!rules.limited) return { refused: undefined, observed: [], ticket: undefined, asked: NOTHING };
  const limits = limitsFor(rules.policy, context, model);
  const estimate = estimateUsage(prices, model, promptCharacters, mostTokens);
  const outputTokens = wholeTokens(mostTokens);
  return { ...usage.begin(limits, estimate), asked: { inputTokens: estimate.tokens - outputTokens, outputTokens } };
}

function eventOf(
  refused: LimitRefusal | undefined,
  observed: readonly LimitRefusal[],
  policyHash: string,
): DecisionEvent {
  const named = ({ policy, rule }: LimitRefusal): string => `${policy}/${rule}`;
  return {
    type: 'decision',
    statement: 1,
    action: refused === undefined ? 'allow' : 'block',
    rules: refused === undefined ? [] : [named(refused)],
    ...(refused === undefined ? {} : { message: refused.message }),
    policyHash,
    ...(observed.length === 0 ? {} : { observed: observed.map((one) => ({ rule: named(one), action: one.action })) }),
  };
}
