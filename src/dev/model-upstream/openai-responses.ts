import { CREATED, jsonAnswer, type Answer, type JsonObject, type ModelRequest, type StreamEvent } from './answer.js';
import { usageOf } from './openai-chat.js';
import { fragmentsOf, type ToolCall } from './script.js';

/** Responses. @see https://platform.openai.com/docs/api-reference/responses */
export function responses(request: ModelRequest): Answer {
  if (request.body['stream'] !== true) return jsonAnswer(responseOf(request, 'completed', outputOf(request)));
  const error = { type: 'error', code: 'server_error', message: 'the model stopped', param: null, sequence_number: 9 };
  return { kind: 'events', events: streamed(request), error: { name: 'error', data: JSON.stringify(error) } };
}

function responseOf(request: ModelRequest, status: string, output: readonly unknown[]): JsonObject {
  const { body } = request;
  const usage = usageOf(request);
  const isDone = status === 'completed';
  return {
    id: `resp_${request.id}`,
    object: 'response',
    created_at: CREATED,
    status,
    background: false,
    error: null,
    incomplete_details: null,
    instructions: body['instructions'] ?? null,
    max_output_tokens: body['max_output_tokens'] ?? null,
    model: request.model,
    output,
    parallel_tool_calls: true,
    previous_response_id: body['previous_response_id'] ?? null,
    reasoning: { effort: null, summary: null },
    service_tier: 'default',
    store: false,
    temperature: 1,
    text: { format: { type: 'text' } },
    tool_choice: body['tool_choice'] ?? 'auto',
    tools: body['tools'] ?? [],
    top_p: 1,
    truncation: 'disabled',
    usage: isDone
      ? {
          input_tokens: usage.prompt_tokens,
          input_tokens_details: { cached_tokens: 0 },
          output_tokens: usage.completion_tokens,
          output_tokens_details: { reasoning_tokens: 0 },
          total_tokens: usage.total_tokens,
        }
      : null,
    user: null,
    metadata: body['metadata'] ?? {},
  };
}

interface Item {
  readonly id: string;
  readonly whole: JsonObject;
  /** Events between `output_item.added` and `output_item.done`, without ids and numbers. */
  readonly begun: JsonObject;
  readonly events: () => Generator<JsonObject>;
}

function outputOf(request: ModelRequest): readonly unknown[] {
  return itemsOf(request).map((item) => item.whole);
}

function itemsOf(request: ModelRequest): readonly Item[] {
  const { script } = request;
  return [
    ...(script.reasoning === '' ? [] : [reasoningItem(request)]),
    ...(script.text === '' && script.refusal === '' ? [] : [messageItem(request)]),
    ...script.calls.map((call, index) => callItem(request, call, index)),
  ];
}

function reasoningItem({ id: request, script, steering }: ModelRequest): Item {
  const id = `rs_${request}`;
  const part = { type: 'summary_text', text: script.reasoning };
  const at = { summary_index: 0 };
  return {
    id,
    whole: { id, type: 'reasoning', summary: [part] },
    begun: { id, type: 'reasoning', summary: [] },
    events: function* () {
      yield { type: 'response.reasoning_summary_part.added', ...at, part: { ...part, text: '' } };
      for (const delta of fragmentsOf(script.reasoning, steering)) {
        yield { type: 'response.reasoning_summary_text.delta', ...at, delta };
      }
      yield { type: 'response.reasoning_summary_text.done', ...at, text: script.reasoning };
      yield { type: 'response.reasoning_summary_part.done', ...at, part };
    },
  };
}

function messageItem(request: ModelRequest): Item {
  const { script } = request;
  const id = `msg_${request.id}`;
  const text = { type: 'output_text', annotations: annotationsOf(request), logprobs: [], text: script.text };
  const refusal = { type: 'refusal', refusal: script.refusal };
  const content = [...(script.text === '' ? [] : [text]), ...(script.refusal === '' ? [] : [refusal])];
  return {
    id,
    whole: { id, type: 'message', status: 'completed', content, role: 'assistant' },
    begun: { id, type: 'message', status: 'in_progress', content: [], role: 'assistant' },
    events: function* () {
      for (const [content_index, part] of content.entries()) yield* partEvents(request, content_index, part);
    },
  };
}

function annotationsOf({ script }: ModelRequest): readonly JsonObject[] {
  if (script.citation === '') return [];
  return [{ type: 'url_citation', start_index: 0, end_index: 1, title: script.citation, url: 'https://example.com/' }];
}

function* partEvents(request: ModelRequest, content_index: number, part: JsonObject): Generator<JsonObject> {
  const { script, steering } = request;
  const at = { content_index };
  const isText = part['type'] === 'output_text';
  const empty = isText ? { ...part, annotations: [], text: '' } : { ...part, refusal: '' };
  yield { type: 'response.content_part.added', ...at, part: empty };
  if (isText) {
    for (const delta of fragmentsOf(script.text, steering)) {
      yield { type: 'response.output_text.delta', ...at, delta, logprobs: [] };
    }
    for (const [annotation_index, annotation] of annotationsOf(request).entries()) {
      yield { type: 'response.output_text.annotation.added', ...at, annotation_index, annotation };
    }
    yield { type: 'response.output_text.done', ...at, text: script.text, logprobs: [] };
  } else {
    for (const delta of fragmentsOf(script.refusal, steering)) yield { type: 'response.refusal.delta', ...at, delta };
    yield { type: 'response.refusal.done', ...at, refusal: script.refusal };
  }
  yield { type: 'response.content_part.done', ...at, part };
}

function callItem(request: ModelRequest, call: ToolCall, index: number): Item {
  const id = `fc_${request.id}${String(index)}`;
  const call_id = `call_${request.id.slice(0, 16)}${String(index)}`;
  const item = { id, type: 'function_call', call_id, name: call.name };
  return {
    id,
    whole: { ...item, status: 'completed', arguments: call.arguments },
    begun: { ...item, status: 'in_progress', arguments: '' },
    events: function* () {
      for (const delta of fragmentsOf(call.arguments, request.steering)) {
        yield { type: 'response.function_call_arguments.delta', delta };
      }
      yield { type: 'response.function_call_arguments.done', name: call.name, arguments: call.arguments };
    },
  };
}

function* streamed(request: ModelRequest): Generator<StreamEvent> {
  let number = 0;
  const event = ({ type, ...rest }: JsonObject): StreamEvent => {
    const data = JSON.stringify({ type, sequence_number: number, ...rest });
    number += 1;
    return { name: String(type), data };
  };
  yield event({ type: 'response.created', response: responseOf(request, 'in_progress', []) });
  yield event({ type: 'response.in_progress', response: responseOf(request, 'in_progress', []) });
  for (const [output_index, item] of itemsOf(request).entries()) {
    yield event({ type: 'response.output_item.added', output_index, item: item.begun });
    for (const each of item.events()) yield event({ item_id: item.id, output_index, ...each });
    yield event({ type: 'response.output_item.done', output_index, item: item.whole });
  }
  yield event({ type: 'response.completed', response: responseOf(request, 'completed', outputOf(request)) });
}
