import { isFault } from '../../core/errors.js';
import { member, parseJsonTree } from '../../core/json-tree.js';
import type { JsonNode } from '../../core/json-tree.js';
import type { AnswerNews, MessageRefusal, MessageSide } from '../http/message-side.js';
import { modelUsageOf, usageNumbers } from '../http/model-usage.js';
import { stringIn } from '../http/prompt-reader.js';
import { readClientEvent } from './client-events.js';
import { errorOf } from './requests.js';
import { toolNamesOf } from './responses-layout.js';

/** Cheap: what is said in pieces, and most of all audio, is not read for this. */
const HINT = /"type"\s*:\s*"(?:response\.(?:created|done|completed|incomplete|failed|cancelled)|error)"/;
const OVER = new Set(['done', 'completed', 'incomplete', 'failed', 'cancelled'].map((state) => `response.${state}`));

const TOLD_NOTHING = { usage: undefined, toolCalls: [], texts: [] };

function newsIn(message: string): AnswerNews | undefined {
  if (!HINT.test(message)) return undefined;
  const tree = parseJsonTree(message);
  if (isFault(tree)) return undefined;
  const type = stringIn(tree, 'type');
  const response = member(tree, 'response');
  const id = stringIn(response, 'id');
  if (type === 'error') {
    const refused = stringIn(member(tree, 'error'), 'event_id');
    return { ...TOLD_NOTHING, kind: 'refused', id: refused };
  }
  if (type === 'response.created') return { ...TOLD_NOTHING, kind: 'begun', id };
  if (!OVER.has(type)) return undefined;
  const items = itemsOf(member(response, 'output'));
  return {
    kind: 'over',
    id,
    usage: modelUsageOf(new Map(usageNumbers(member(response, 'usage')))),
    toolCalls: items.flatMap((item) => toolNamesOf(item)),
    texts: items.map((item) => saidIn(item)).filter((text) => text !== ''),
  };
}

/** What was said aloud stands in its transcript. */
function saidIn(item: JsonNode): string {
  return itemsOf(member(item, 'content'))
    .map((part) => stringIn(part, 'text') || stringIn(part, 'transcript') || stringIn(part, 'refusal'))
    .join('');
}

function itemsOf(node: JsonNode | undefined): readonly JsonNode[] {
  return node?.kind === 'array' ? node.items : [];
}

/** @see https://platform.openai.com/docs/api-reference/realtime-server-events/error */
function realtimeError({ eventId, refused, ...refusal }: MessageRefusal): string {
  const error = { ...errorOf(refusal), event_id: refused === '' ? null : refused };
  return JSON.stringify({ type: 'error', event_id: eventId, error });
}

/** Members of the event `error` of the Responses API, and the object that its other errors have. */
function responsesError({ refused: _refused, eventId: _eventId, ...refusal }: MessageRefusal): string {
  const error = errorOf(refusal);
  const { code, message, param } = error;
  return JSON.stringify({ type: 'error', status: statusOf(refusal), code, message, param, sequence_number: 0, error });
}

/** Over a WebSocket the API has 400 for what is refused for good: with another one Codex asks again, five times. */
function statusOf({ status }: Pick<MessageRefusal, 'status'>): number {
  return status < 500 && status !== 429 ? 400 : status;
}

/** Messages of the Realtime API, and of the Responses API over a WebSocket. */
export const MESSAGES: Readonly<Record<'realtime' | 'responses', MessageSide>> = {
  realtime: {
    read: (upgrade, model, body) => readClientEvent('realtime', upgrade, model, body),
    refusal: realtimeError,
    news: newsIn,
    cancel: (answer) => JSON.stringify({ type: 'response.cancel', response_id: answer }),
  },
  responses: {
    read: (upgrade, model, body) => readClientEvent('responses', upgrade, model, body),
    refusal: responsesError,
    news: newsIn,
    // Nothing begins there that was not asked for.
    cancel: () => undefined,
  },
};
