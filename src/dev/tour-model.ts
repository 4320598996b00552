import type { SessionSummary } from '../core/session-summary.js';
import { TRIAL_PROMPTS } from './dev-text.js';
import { plantedIn } from './planted-values.js';
import type { Tour } from './tour.js';
import type { RunningHoop } from './hoop-processes.js';

/** A port to the model, and what a program finds in its environment. */
export interface ModelPort {
  readonly port: RunningHoop;
  readonly baseUrl: string;
  readonly apiKey: string;
}

export async function connectModel({ guide, hoop }: Tour): Promise<ModelPort> {
  guide.command('alice', 'hoop connect openai --json');
  const port = hoop.start('alice', ['connect', 'openai', '--json']);
  const [line] = await port.said(/^\{"event":"listening".*\}$/m);
  const { env } = JSON.parse(line) as { readonly env: Readonly<Record<string, string>> };
  const { OPENAI_BASE_URL: baseUrl = '', OPENAI_API_KEY: apiKey = '' } = env;
  guide.shows(`OPENAI_BASE_URL=${baseUrl} OPENAI_API_KEY=… (good for this port alone)`);
  guide.check('any OpenAI SDK finds its base URL and a key', /\/v1$/.test(baseUrl) && apiKey !== '', line);
  return { port, baseUrl, apiKey };
}

/** An answer that streams: put together from its events it must be masked. */
export async function askModel({ guide }: Tour, model: ModelPort): Promise<void> {
  guide.command('alice', `POST $OPENAI_BASE_URL/chat/completions  "${TRIAL_PROMPTS.asked}"`);
  const answer = await chat(model, TRIAL_PROMPTS.asked);
  const events = await answer.text();
  const deltas = [...events.matchAll(/^data: (\{.*\})$/gm)].map(
    ([, data = '']) => JSON.parse(data) as { readonly choices: readonly { readonly delta: { content?: string } }[] },
  );
  const text = deltas.map(({ choices }) => choices[0]?.delta.content ?? '').join('');
  guide.shows(text);
  guide.check(
    'the answer came as a stream, to its end',
    answer.status === 200 && events.includes('data: [DONE]') && text.includes('Ada Quill'),
    events,
  );
  guide.check('no personal value is in any of its events', plantedIn(events + text).length === 0, text);
}

export async function blockPrompt({ guide }: Tour, model: ModelPort): Promise<void> {
  guide.command('alice', `POST $OPENAI_BASE_URL/chat/completions  "${TRIAL_PROMPTS.blocked}"`);
  const answer = await chat(model, TRIAL_PROMPTS.blocked);
  const { error } = (await answer.json()) as { readonly error?: { readonly code: string; readonly message: string } };
  guide.shows(`${String(answer.status)} ${error?.message ?? ''}`);
  guide.check(
    'the prompt was refused as the provider refuses, with the name of the rule',
    answer.status === 403 &&
      error?.code === 'hoop_blocked' &&
      error.message.includes('prompts/no-credential-dumps') === true,
    error,
  );
}

/** The two calls are sessions of their own; the one that was answered is read again. */
export async function replayModel({ guide, hoop }: Tour): Promise<void> {
  guide.command('dana', 'hoop sessions --json');
  const sessions = await hoop.json<readonly SessionSummary[]>('dana', ['sessions']);
  const calls = sessions.filter(({ connection }) => connection === 'openai');
  const answered = calls.find(({ blocked }) => blocked === 0);
  guide.check(
    'both model calls are recorded, one of them as blocked',
    calls.length === 2 && calls.some(({ blocked }) => blocked === 1) && answered !== undefined,
    calls,
  );
  const id = answered?.id ?? '';
  guide.command('dana', `hoop replay ${id} --format text`);
  const { status, stdout, stderr } = await hoop.run('dana', ['replay', id, '--format', 'text']);
  guide.shows(stdout, 16);
  guide.check(
    'the replay shows the prompt and the answer, both masked',
    status === 0 && stdout.includes('Ada Quill') && plantedIn(stdout).length === 0,
    stdout + stderr,
  );
}

function chat({ baseUrl, apiKey }: ModelPort, prompt: string): Promise<Response> {
  return fetch(`${baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'trial-small', stream: true, messages: [{ role: 'user', content: prompt }] }),
  });
}
