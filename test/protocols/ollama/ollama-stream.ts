/** Streams as Ollama sends them. */

interface Line {
  readonly response?: string;
  readonly thinking?: string;
  readonly message?: { readonly content?: string; readonly thinking?: string };
}

const head = { model: 'llama3.2', created_at: '2026-01-01T10:00:00.000000Z' };
const counts = { total_duration: 4883583458, load_duration: 1334875, prompt_eval_count: 26, eval_count: 12 };

/** Thoughts first, then the text, in the same pieces. */
export function ollamaStream(kind: 'chat' | 'generate', pieces: readonly string[]): string {
  const line = (inside: object, rest: object = { done: false }): string =>
    `${JSON.stringify({ ...head, ...inside, ...rest })}\n`;
  const said = (content: string, thinking?: string): object =>
    kind === 'chat' ? { message: { role: 'assistant', content, thinking } } : { response: content, thinking };
  return [
    ...pieces.map((piece) => line(said('', piece))),
    ...pieces.map((piece) => line(said(piece))),
    line(said(''), { done: true, done_reason: 'stop', ...counts }),
  ].join('');
}

/** What a client puts together of it. */
export function ollamaTexts(stream: string): { readonly text: string; readonly thinking: string } {
  const lines = stream
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Line);
  return {
    text: lines.map(({ response, message }) => response ?? message?.content ?? '').join(''),
    thinking: lines.map(({ thinking, message }) => thinking ?? message?.thinking ?? '').join(''),
  };
}
