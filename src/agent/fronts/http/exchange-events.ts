import type { BodyEvent, ModelUsage, ResultEvent } from '../../../core/events.js';
import type { MaskCounts } from '../../../core/mask.js';
import { tokensOf } from '../../usage/model-cost.js';
import type { AnswerPipe } from './answers/answer-pipe.js';
import { refusalOf } from './refusals.js';

export interface ExchangeEnd {
  readonly startedMs: number;
  readonly endedMs: number;
  /** Status that the client got; 0 where it got none. */
  readonly status: number;
  /** Values masked in the request. */
  readonly requestCounts: MaskCounts;
  /** US dollars, where they are known. */
  readonly costUsd: number | undefined;
  /** The client hung up before the end. */
  readonly left: boolean;
  readonly fault: Error | undefined;
}

/** What the record says of an answer: its masked body, then how it ended. */
export function answerEvents(pipe: AnswerPipe, end: ExchangeEnd): readonly [BodyEvent | undefined, ResultEvent] {
  const summary = pipe.summary();
  const { capture, contentType } = pipe;
  const digest = capture.digest();
  const output: BodyEvent | undefined =
    capture.bytes === 0
      ? undefined
      : {
          type: 'output',
          statement: 1,
          body: capture.text(),
          bodyBytes: capture.bytes,
          ...(digest === undefined ? {} : { digest }),
          ...(contentType === '' ? {} : { contentType }),
          ...(summary.text.length === 0 ? {} : { text: summary.text }),
          ...(summary.thoughts === undefined ? {} : { thoughts: summary.thoughts }),
        };
  const masked = sum(end.requestCounts, pipe.counts);
  const first = pipe.firstTokenMs ?? pipe.firstByteMs;
  return [
    output,
    {
      type: 'result',
      statement: 1,
      status: end.status,
      bytes: pipe.bytes,
      durationMs: tenths(end.endedMs - end.startedMs),
      ...(first === undefined ? {} : { firstByteMs: tenths(first - end.startedMs) }),
      ...(masked === undefined ? {} : { masked }),
      ...(summary.usage === undefined ? {} : { usage: summary.usage }),
      ...(end.costUsd === undefined ? {} : { costUsd: end.costUsd }),
      ...(summary.toolCalls.length === 0 ? {} : { toolCalls: summary.toolCalls }),
      ...(summary.toolArguments === undefined ? {} : { toolArguments: summary.toolArguments }),
      ...(pipe.notInspected === '' ? {} : { notInspected: pipe.notInspected }),
      ...errorOf(end),
    },
  ];
}

function errorOf({ left, fault }: ExchangeEnd): Pick<ResultEvent, 'error'> {
  if (fault !== undefined) {
    const { code, message } = refusalOf(fault);
    return { error: { code, message } };
  }
  return left ? { error: { code: 'client_left', message: 'the client hung up before the answer ended' } } : {};
}

function sum(...all: readonly MaskCounts[]): Record<string, number> | undefined {
  const total: Record<string, number> = {};
  for (const counts of all) for (const [name, count] of counts) total[name] = (total[name] ?? 0) + count;
  return Object.keys(total).length === 0 ? undefined : total;
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}

const NOTHING: ModelUsage = { inputTokens: 0, outputTokens: 0 };

/** What a model call used, as far as it is known. */
export interface Used {
  /** Nothing where the upstream refused it or was not reached; undefined where it did not say. */
  readonly usage: ModelUsage | undefined;
  /** Tokens of the texts that came, by their length. */
  readonly writtenTokens: number;
}

/**
 * Of an answer that broke off, and be it that the client hung up, the usage was only begun to be told: what came of it
 * counts at least.
 */
export function usedIn(pipe: AnswerPipe, { left, fault }: Pick<ExchangeEnd, 'left' | 'fault'>): Used {
  const { usage, characters } = pipe.summary();
  const writtenTokens = tokensOf(characters);
  if (usage === undefined) {
    const refused = pipe.status >= 400 || (pipe.status === 0 && !left);
    return { usage: refused ? NOTHING : undefined, writtenTokens };
  }
  const whole = !left && fault === undefined;
  if (whole) return { usage, writtenTokens };
  return { usage: { ...usage, outputTokens: Math.max(usage.outputTokens, writtenTokens) }, writtenTokens };
}
