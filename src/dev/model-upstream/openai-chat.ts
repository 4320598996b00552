import {
  CREATED,
  isObject,
  jsonAnswer,
  type Answer,
  type JsonObject,
  type ModelRequest,
  type StreamEvent,
} from './answer.js';
import { errorEvent } from './dialect-errors.js';
import { fragmentsOf, tokensIn } from './script.js';

/** Chat completions. @see https://platform.openai.com/docs/api-reference/chat */
export function chatCompletions(request: ModelRequest): Answer {
  if (request.body['stream'] !== true) return jsonAnswer(whole(request));
  return { kind: 'events', events: streamed(request), error: errorEvent('openai', 'the model stopped') };
}

function choicesOf(request: ModelRequest): readonly number[] {
  const count = request.body['n'];
  return Array.from({ length: typeof count === 'number' ? count : 1 }, (_each, index) => index);
}

export function usageOf(request: ModelRequest): {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
} {
  const { script, inputTokens } = request;
  const spoken = [script.reasoning, script.text, script.refusal, ...script.calls.map((call) => call.arguments)];
  const output = tokensIn(spoken.join('')) * choicesOf(request).length;
  return { prompt_tokens: inputTokens, completion_tokens: output, total_tokens: inputTokens + output };
}

function head(request: ModelRequest, object: string): Record<string, unknown> {
  return {
    id: `chatcmpl-${request.id}`,
    object,
    created: CREATED,
    model: request.model,
    service_tier: 'default',
    system_fingerprint: 'fp_trial',
  };
}

function finishReason({ script }: ModelRequest): string {
  return script.calls.length > 0 ? 'tool_calls' : 'stop';
}

function callId(request: ModelRequest, choice: number, index: number): string {
  return `call_${request.id.slice(0, 16)}${String(choice)}${String(index)}`;
}

function whole(request: ModelRequest): unknown {
  const { script } = request;
  const message = (choice: number): Record<string, unknown> => ({
    role: 'assistant',
    content: script.text === '' ? null : script.text,
    refusal: script.refusal === '' ? null : script.refusal,
    annotations: script.citation === '' ? [] : [annotation(script.citation)],
    ...(script.reasoning === '' ? {} : { reasoning_content: script.reasoning }),
    ...(script.calls.length === 0
      ? {}
      : {
          tool_calls: script.calls.map((call, index) => ({
            id: callId(request, choice, index),
            type: 'function',
            function: call,
          })),
        }),
  });
  return {
    ...head(request, 'chat.completion'),
    choices: choicesOf(request).map((index) => ({
      index,
      message: message(index),
      logprobs: request.body['logprobs'] === true ? logprobs([...fragmentsOf(script.text, request.steering)]) : null,
      finish_reason: finishReason(request),
    })),
    usage: usageOf(request),
  };
}

function annotation(text: string): unknown {
  return {
    type: 'url_citation',
    url_citation: { start_index: 0, end_index: 1, title: text, url: 'https://example.com/' },
  };
}

/** The text a second time, by token: what masks the text and not this has masked nothing. */
function logprobs(tokens: readonly string[]): unknown {
  const entry = (token: string): unknown => ({
    token,
    logprob: -0.1,
    bytes: [...Buffer.from(token)],
    top_logprobs: [],
  });
  return { content: tokens.map(entry), refusal: null };
}

/** Deltas of all choices in turn, as several answers that are made at once come. */
function* streamed(request: ModelRequest): Generator<StreamEvent> {
  const options = request.body['stream_options'];
  const counts = isObject(options) && options['include_usage'] === true;
  const start = head(request, 'chat.completion.chunk');
  const chunk = (choices: readonly unknown[], usage: unknown = null): StreamEvent => ({
    data: JSON.stringify({ ...start, choices, ...(counts ? { usage } : {}) }),
  });
  const choice = (
    index: number,
    delta: unknown,
    finish: string | null = null,
    tokens?: readonly string[],
  ): StreamEvent =>
    chunk([{ index, delta, logprobs: tokens === undefined ? null : logprobs(tokens), finish_reason: finish }]);
  const choices = choicesOf(request);
  for (const index of choices) yield choice(index, { role: 'assistant', content: '', refusal: null });
  const withTokens = request.body['logprobs'] === true;
  let running = choices.map((index) => ({ index, deltas: deltasOf(request, index) }));
  while (running.length > 0) {
    const going: typeof running = [];
    for (const each of running) {
      const next = each.deltas.next();
      if (next.done === true) continue;
      going.push(each);
      const content = next.value['content'];
      yield choice(each.index, next.value, null, withTokens && typeof content === 'string' ? [content] : undefined);
    }
    running = going;
  }
  for (const index of choices) yield choice(index, {}, finishReason(request));
  if (counts) yield chunk([], usageOf(request));
  yield { data: '[DONE]' };
}

function* deltasOf(request: ModelRequest, choice: number): Generator<JsonObject, undefined> {
  const { script, steering } = request;
  for (const part of fragmentsOf(script.reasoning, steering)) yield { reasoning_content: part };
  for (const part of fragmentsOf(script.refusal, steering)) yield { refusal: part };
  for (const part of fragmentsOf(script.text, steering)) yield { content: part };
  if (script.citation !== '') yield { annotations: [annotation(script.citation)] };
  for (const [index, call] of script.calls.entries()) {
    const id = callId(request, choice, index);
    yield { tool_calls: [{ index, id, type: 'function', function: { name: call.name, arguments: '' } }] };
    for (const part of fragmentsOf(call.arguments, steering)) {
      yield { tool_calls: [{ index, function: { arguments: part } }] };
    }
  }
}
