/** Event streams as the model APIs send them. */

export type Kind = 'text' | 'tool arguments';

/** Chat completions: each choice gets the same pieces, turn by turn. */
export function chatStream(pieces: readonly string[], choices: number, kind: Kind): string {
  const chunk = (index: number, delta: object, finish: string | null = null): string =>
    chatEvent({ choices: [{ index, delta, logprobs: null, finish_reason: finish }] });
  const all = Array.from({ length: choices }, (_, index) => index);
  const first = { id: 'call_1', type: 'function', function: { name: 'send_mail', arguments: '' } };
  return [
    ...all.map((index) =>
      chunk(index, {
        role: 'assistant',
        content: kind === 'text' ? '' : null,
        ...(kind === 'text' ? {} : { tool_calls: [{ index: 0, ...first }] }),
      }),
    ),
    ...pieces.flatMap((piece) =>
      all.map((index) =>
        chunk(
          index,
          kind === 'text' ? { content: piece } : { tool_calls: [{ index: 0, function: { arguments: piece } }] },
        ),
      ),
    ),
    ...all.map((index) => chunk(index, {}, kind === 'text' ? 'stop' : 'tool_calls')),
    chatEvent({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 } }),
    'data: [DONE]\n\n',
  ].join('');
}

function chatEvent(rest: object): string {
  const head = { id: 'chatcmpl-9', object: 'chat.completion.chunk', created: 1719999999, model: 'gpt-4o' };
  return `data: ${JSON.stringify({ ...head, ...rest })}\n\n`;
}

/** Legacy completions. */
export function completionStream(pieces: readonly string[], choices: number): string {
  const event = (index: number, text: string, finish: string | null): string =>
    `data: ${JSON.stringify({ id: 'cmpl-1', object: 'text_completion', created: 1, model: 'm', choices: [{ text, index, logprobs: null, finish_reason: finish }] })}\n\n`;
  const all = Array.from({ length: choices }, (_, index) => index);
  return [
    ...pieces.flatMap((piece) => all.map((index) => event(index, piece, null))),
    ...all.map((index) => event(index, '', 'stop')),
    'data: [DONE]\n\n',
  ].join('');
}

/** The Responses API: `outputs` items, one after the other. */
export function responseStream(pieces: readonly string[], outputs: number, kind: Kind): string {
  let sequence = 0;
  const event = (type: string, rest: object): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence++, ...rest })}\n\n`;
  const text = pieces.join('');
  const response = {
    id: 'resp_1',
    object: 'response',
    created_at: 1719999999,
    model: 'gpt-4o',
    output: [] as object[],
  };
  let stream = event('response.created', { response: { ...response, status: 'in_progress' } });
  for (let index = 0; index < outputs; index += 1) {
    const item = kind === 'text' ? messageItem(index, text) : callItem(index, text);
    stream += itemEvents(event, item, index, pieces, text, kind);
    response.output.push(item);
  }
  const usage = { input_tokens: 9, output_tokens: 12, total_tokens: 21 };
  return stream + event('response.completed', { response: { ...response, status: 'completed', usage } });
}

function messageItem(index: number, text: string): { id: string } {
  const content = [{ type: 'output_text', text, annotations: [], logprobs: [] }];
  return { id: `msg_${String(index)}`, type: 'message', status: 'completed', role: 'assistant', content } as {
    id: string;
  };
}

function callItem(index: number, text: string): { id: string } {
  const id = `fc_${String(index)}`;
  return { id, type: 'function_call', call_id: 'call_1', name: 'send_mail', arguments: text, status: 'completed' } as {
    id: string;
  };
}

function itemEvents(
  event: (type: string, rest: object) => string,
  item: { id: string },
  index: number,
  pieces: readonly string[],
  text: string,
  kind: Kind,
): string {
  const place = { item_id: item.id, output_index: index };
  if (kind === 'tool arguments') {
    const added = event('response.output_item.added', { output_index: index, item: { ...item, arguments: '' } });
    const deltas = pieces.map((delta) => event('response.function_call_arguments.delta', { ...place, delta }));
    const done = event('response.function_call_arguments.done', { ...place, arguments: text });
    return added + deltas.join('') + done + event('response.output_item.done', { output_index: index, item });
  }
  const inner = { ...place, content_index: 0 };
  const part = { type: 'output_text', text: '', annotations: [], logprobs: [] };
  return [
    event('response.output_item.added', { output_index: index, item: { ...item, content: [] } }),
    event('response.content_part.added', { ...inner, part }),
    ...pieces.map((delta) => event('response.output_text.delta', { ...inner, delta, logprobs: [] })),
    event('response.output_text.done', { ...inner, text, logprobs: [] }),
    event('response.content_part.done', { ...inner, part: { ...part, text } }),
    event('response.output_item.done', { output_index: index, item }),
  ].join('');
}

/** Anthropic's messages: `blocks` blocks, one after the other. */
export function messageStream(pieces: readonly string[], blocks: number, kind: Kind): string {
  const event = (type: string, rest: object = {}): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;
  const usage = { input_tokens: 5, cache_creation_input_tokens: 2, cache_read_input_tokens: 2, output_tokens: 1 };
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude',
    content: [],
    stop_reason: null,
    usage,
  };
  let stream = event('message_start', { message }) + event('ping');
  for (let index = 0; index < blocks; index += 1) {
    const block =
      kind === 'text'
        ? { type: 'text', text: '' }
        : { type: 'tool_use', id: `toolu_${String(index)}`, name: 'send_mail', input: {} };
    stream += event('content_block_start', { index, content_block: block });
    for (const piece of pieces) {
      const delta =
        kind === 'text' ? { type: 'text_delta', text: piece } : { type: 'input_json_delta', partial_json: piece };
      stream += event('content_block_delta', { index, delta });
    }
    stream += event('content_block_stop', { index });
  }
  const stop = { stop_reason: kind === 'text' ? 'end_turn' : 'tool_use', stop_sequence: null };
  return stream + event('message_delta', { delta: stop, usage: { output_tokens: 12 } }) + event('message_stop');
}
