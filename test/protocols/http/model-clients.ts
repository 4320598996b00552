import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

/** The real SDKs, given an answer instead of a network. */
const answering = (body: string): typeof fetch => {
  const headers = { 'content-type': body.startsWith('{') ? 'application/json' : 'text/event-stream' };
  return () => Promise.resolve(new Response(body, { headers }));
};

export const openaiWith = (body: string): OpenAI =>
  new OpenAI({ apiKey: 'none', baseURL: 'http://127.0.0.1/v1', fetch: answering(body), maxRetries: 0 });

export const anthropicWith = (body: string): Anthropic =>
  new Anthropic({ apiKey: 'none', baseURL: 'http://127.0.0.1', fetch: answering(body), maxRetries: 0 });

const messages = [{ role: 'user' as const, content: 'hi' }];

/** Text and tool arguments of each choice. */
export async function chatTexts(body: string): Promise<string[]> {
  const completion = await openaiWith(body).chat.completions.stream({ model: 'm', messages }).finalChatCompletion();
  return completion.choices.flatMap(({ message }) => [
    ...(typeof message.content === 'string' && message.content !== '' ? [message.content] : []),
    ...(message.tool_calls ?? []).map((call) => (call.type === 'function' ? call.function.arguments : '')),
  ]);
}

export async function completionTexts(body: string): Promise<string[]> {
  const texts: string[] = [];
  const stream = await openaiWith(body).completions.create({ model: 'm', prompt: 'hi', stream: true });
  for await (const { choices } of stream)
    for (const { index, text } of choices) texts[index] = (texts[index] ?? '') + text;
  return texts;
}

/** What the deltas come to, and what the whole response says: one list after the other. */
export async function responseTexts(body: string): Promise<{ streamed: string[]; whole: string[]; numbers: number[] }> {
  const streamed: string[] = [];
  const numbers: number[] = [];
  const stream = openaiWith(body).responses.stream({ model: 'm', input: 'hi' });
  for await (const event of stream) {
    numbers.push(event.sequence_number);
    if (event.type === 'response.output_text.delta' || event.type === 'response.function_call_arguments.delta')
      streamed[event.output_index] = (streamed[event.output_index] ?? '') + event.delta;
  }
  const { output } = await stream.finalResponse();
  const whole = output.flatMap((item) => {
    if (item.type === 'function_call') return [item.arguments];
    return item.type === 'message' ? item.content.map((part) => (part.type === 'output_text' ? part.text : '')) : [];
  });
  return { streamed, whole, numbers };
}

/** Text of each block, or the input of its tool. */
export async function messageTexts(body: string): Promise<unknown[]> {
  const message = await anthropicWith(body).messages.stream({ model: 'm', max_tokens: 9, messages }).finalMessage();
  return message.content.map((block) => {
    if (block.type === 'text') return block.text;
    return block.type === 'tool_use' ? block.input : undefined;
  });
}
