import { member } from '../../core/json-tree.js';
import type { HttpRequest, ReadBody, RequestReading } from '../http/dialect.js';

/** Endpoints whose requests are answered by a model that they have to name. */
const NAMING = new Set([
  ...['chat.completions', 'responses', 'completions', 'embeddings'],
  ...['images.generations', 'images.edits', 'images.variations'],
  ...['audio.speech', 'audio.transcriptions', 'audio.translations'],
]);
const RUNS = /\/runs(?:\/[^/]+\/submit_tool_outputs)?\/?$/i;

/**
 * What limits on models, tokens and spending would have to know of a request, and is said elsewhere: in a file, in what the
 * server keeps, or to nobody. Undefined where all of it is told.
 */
export function uncounted(
  { path }: Pick<HttpRequest, 'path'>,
  body: ReadBody | undefined,
  { endpoint, model, mostTokens }: RequestReading,
): string | undefined {
  if (endpoint === 'batches') return 'what a batch holds, and that stands in a file';
  const answered = NAMING.has(endpoint) || (endpoint === 'threads' && RUNS.test(path));
  if (!answered) return undefined;
  if (model === '') return 'the model, and the request does not name it';
  const background = member(body?.json, 'background');
  // What it used is told to whoever fetches the answer, if anyone does: until then its own bound counts.
  if (background?.kind === 'literal' && background.value === true && (mostTokens ?? null) === null)
    return 'how much an answer in the background may have: max_output_tokens says it';
  return undefined;
}
