import { jsonAnswer, type Answer, type JsonObject, type ModelRequest, type StreamEvent } from './answer.js';
import { errorEvent } from './dialect-errors.js';
import { usageOf } from './openai-chat.js';
import { fragmentsOf } from './script.js';

/** Messages. @see https://docs.claude.com/en/api/messages and /en/api/messages-streaming */
export function messages(request: ModelRequest): Answer {
  const headers = { 'request-id': `req_${request.id}` };
  if (request.body['stream'] !== true) {
    const content = blocksOf(request).map((block) => block.whole);
    return jsonAnswer(
      messageOf(request, { content, stop_reason: stopReason(request), usage: usage(request) }),
      200,
      headers,
    );
  }
  return { kind: 'events', events: streamed(request), error: errorEvent('anthropic', 'Overloaded') };
}

/** @see https://docs.claude.com/en/api/messages-count-tokens */
export function countTokens(request: ModelRequest): Answer {
  return jsonAnswer({ input_tokens: request.inputTokens });
}

function usage(request: ModelRequest): JsonObject {
  const { prompt_tokens, completion_tokens } = usageOf(request);
  return {
    input_tokens: prompt_tokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: completion_tokens,
    service_tier: 'standard',
  };
}

function messageOf({ id, model }: ModelRequest, rest: JsonObject): JsonObject {
  return { id: `msg_${id}`, type: 'message', role: 'assistant', model, stop_sequence: null, ...rest };
}

function stopReason({ script }: ModelRequest): string {
  if (script.refusal !== '') return 'refusal';
  return script.calls.length > 0 ? 'tool_use' : 'end_turn';
}

interface Block {
  readonly whole: JsonObject;
  readonly begun: JsonObject;
  readonly deltas: () => Generator<JsonObject>;
}

function blocksOf(request: ModelRequest): readonly Block[] {
  const { script } = request;
  const said = script.refusal + script.text;
  return [
    ...(script.reasoning === '' ? [] : [thinkingBlock(request)]),
    ...(said === '' ? [] : [textBlock(request, said)]),
    ...script.calls.map((_call, index) => toolBlock(request, index)),
  ];
}

function thinkingBlock({ id, script, steering }: ModelRequest): Block {
  const signature = Buffer.from(`signed ${id}`).toString('base64');
  return {
    whole: { type: 'thinking', thinking: script.reasoning, signature },
    begun: { type: 'thinking', thinking: '', signature: '' },
    deltas: function* () {
      for (const thinking of fragmentsOf(script.reasoning, steering)) yield { type: 'thinking_delta', thinking };
      yield { type: 'signature_delta', signature };
    },
  };
}

function textBlock({ script, steering }: ModelRequest, text: string): Block {
  const citation = {
    type: 'char_location',
    cited_text: script.citation,
    document_index: 0,
    document_title: 'A document',
    start_char_index: 0,
    end_char_index: script.citation.length,
    file_id: null,
  };
  const isCited = script.citation !== '';
  return {
    whole: { type: 'text', text, ...(isCited ? { citations: [citation] } : {}) },
    begun: { type: 'text', text: '', ...(isCited ? { citations: [] } : {}) },
    deltas: function* () {
      if (isCited) yield { type: 'citations_delta', citation };
      for (const part of fragmentsOf(text, steering)) yield { type: 'text_delta', text: part };
    },
  };
}

function toolBlock({ id, script, steering }: ModelRequest, index: number): Block {
  const call = script.calls[index] ?? { name: '', arguments: '{}' };
  const block = { type: 'tool_use', id: `toolu_${id.slice(0, 20)}${String(index)}`, name: call.name };
  return {
    whole: { ...block, input: JSON.parse(call.arguments) as unknown },
    begun: { ...block, input: {} },
    deltas: function* () {
      yield { type: 'input_json_delta', partial_json: '' };
      for (const partial_json of fragmentsOf(call.arguments, steering))
        yield { type: 'input_json_delta', partial_json };
    },
  };
}

function* streamed(request: ModelRequest): Generator<StreamEvent> {
  const event = (body: JsonObject): StreamEvent => ({ name: String(body['type']), data: JSON.stringify(body) });
  const counted = usage(request);
  const begun = { content: [], stop_reason: null, usage: { ...counted, output_tokens: 1 } };
  yield event({ type: 'message_start', message: messageOf(request, begun) });
  for (const [index, block] of blocksOf(request).entries()) {
    yield event({ type: 'content_block_start', index, content_block: block.begun });
    if (index === 0) yield event({ type: 'ping' });
    for (const delta of block.deltas()) yield event({ type: 'content_block_delta', index, delta });
    yield event({ type: 'content_block_stop', index });
  }
  const delta = { stop_reason: stopReason(request), stop_sequence: null };
  yield event({ type: 'message_delta', delta, usage: { output_tokens: counted['output_tokens'] } });
  yield event({ type: 'message_stop' });
}
