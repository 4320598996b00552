import type { HttpRefusal, RefusalAnswer } from '../http/dialect.js';

/** A refusal that Ollama's clients turn into their usual exception: they go by the status, and show `error`. */
export function ollamaRefusal({ code, message }: HttpRefusal): RefusalAnswer {
  return { contentType: 'application/json', body: JSON.stringify({ error: message, code }) };
}
