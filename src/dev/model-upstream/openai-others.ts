import { CREATED, isObject, jsonAnswer, listOf, textIn, type Answer, type ModelRequest } from './answer.js';
import { errorEvent } from './dialect-errors.js';
import { usageOf } from './openai-chat.js';
import { fragmentsOf } from './script.js';
import type { StreamEvent } from './answer.js';

/** Legacy completions. @see https://platform.openai.com/docs/api-reference/completions */
export function completions(request: ModelRequest): Answer {
  const chunk = (text: string, finish: string | null): Record<string, unknown> => ({
    id: `cmpl-${request.id}`,
    object: 'text_completion',
    created: CREATED,
    model: request.model,
    choices: [{ text, index: 0, logprobs: null, finish_reason: finish }],
  });
  if (request.body['stream'] !== true) {
    return jsonAnswer({ ...chunk(request.script.text, 'stop'), usage: usageOf(request) });
  }
  const events = function* (): Generator<StreamEvent> {
    for (const part of fragmentsOf(request.script.text, request.steering)) {
      yield { data: JSON.stringify(chunk(part, null)) };
    }
    const options = request.body['stream_options'];
    yield { data: JSON.stringify(chunk('', 'stop')) };
    if (isObject(options) && options['include_usage'] === true) {
      yield { data: JSON.stringify({ ...chunk('', null), choices: [], usage: usageOf(request) }) };
    }
    yield { data: '[DONE]' };
  };
  return { kind: 'events', events: events(), error: errorEvent('openai', 'the model stopped') };
}

const DIMENSIONS = 8;

/** Embeddings: numbers made from the text alone. @see https://platform.openai.com/docs/api-reference/embeddings */
export function embeddings(request: ModelRequest): Answer {
  const input = request.body['input'];
  const texts = typeof input === 'string' ? [input] : listOf(input).map(textIn);
  const size = request.body['dimensions'];
  const isBase64 = request.body['encoding_format'] === 'base64';
  return jsonAnswer({
    object: 'list',
    data: texts.map((text, index) => {
      const vector = vectorOf(text, typeof size === 'number' ? size : DIMENSIONS);
      const embedding = isBase64 ? Buffer.from(vector.buffer).toString('base64') : [...vector];
      return { object: 'embedding', index, embedding };
    }),
    model: request.model,
    usage: { prompt_tokens: request.inputTokens, total_tokens: request.inputTokens },
  });
}

function vectorOf(text: string, size: number): Float32Array {
  const vector = new Float32Array(size);
  for (const [index, point] of [...text].entries()) {
    const at = index % size;
    vector[at] = ((vector[at] ?? 0) * 31 + (point.codePointAt(0) ?? 0)) % 1000;
  }
  return vector.map((each) => each / 1000);
}

const MODELS = ['trial-small', 'trial-large'];

/** @see https://platform.openai.com/docs/api-reference/models */
export function models(id: string | undefined): Answer | undefined {
  const list = MODELS.map((each) => ({ id: each, object: 'model', created: CREATED, owned_by: 'trial' }));
  if (id === undefined) return jsonAnswer({ object: 'list', data: list });
  const found = list.find((each) => each.id === id);
  return found === undefined ? undefined : jsonAnswer(found);
}
