import OpenAI from 'openai';
import { collected, outcomeOf, type ModelProgram, type Place } from './program.js';

const client = ({ url, apiKey }: Place): OpenAI =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0, logLevel: 'off' });

function program(name: string, run: (client: OpenAI) => Promise<unknown>): ModelProgram {
  const isBroken = /fault=(cut|reset)/.test(name);
  return {
    name: `openai: ${name}`,
    provider: 'openai',
    ...(isBroken ? { broken: true } : {}),
    run: (place) => outcomeOf(() => run(client(place))),
  };
}

const WEATHER = {
  name: 'weather',
  description: 'The weather of a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
} as const;
const CALL = 'call: weather {"city": "Köln", "note": "line\\nbreak \\"quoted\\""}';
const EVERYTHING = 'think: Let me see.\nsay: Grüße, Ada 👋🏽! A longer answer follows here.\ncite: A page';

const chat = (content: string, model = 'trial') => ({ model, messages: [{ role: 'user' as const, content }] });

const WHOLE: readonly ModelProgram[] = [
  program('models', async (api) => (await api.models.list()).data),
  program('one model', (api) => api.models.retrieve('trial-small')),
  program('chat', (api) => api.chat.completions.create(chat('say: Hello, Ada'))),
  program('chat, two choices with logprobs', (api) =>
    api.chat.completions.create({ ...chat(EVERYTHING), n: 2, logprobs: true }),
  ),
  program('chat, tool call', (api) =>
    api.chat.completions.create({ ...chat(CALL), tools: [{ type: 'function', function: WEATHER }] }),
  ),
  program('chat, refusal', (api) => api.chat.completions.create(chat('refuse: I can not do that'))),
  program('chat, parts and a system message', (api) =>
    api.chat.completions.create({
      model: 'trial',
      messages: [
        { role: 'system', content: 'You are terse.' },
        { role: 'user', content: [{ type: 'text', text: 'say: parts' }] },
      ],
    }),
  ),
  program('chat, headers of the answer', async (api) => {
    const { response } = await api.chat.completions.create(chat('say: hi')).withResponse();
    return { status: response.status, type: response.headers.get('content-type') };
  }),
  program('responses', (api) => api.responses.create({ model: 'trial', input: EVERYTHING })),
  program('responses, function call', (api) =>
    api.responses.create({ model: 'trial', input: CALL, tools: [{ type: 'function', ...WEATHER, strict: true }] }),
  ),
  program('completions', (api) => api.completions.create({ model: 'trial', prompt: 'say: once upon a time' })),
  program('embeddings', (api) => api.embeddings.create({ model: 'trial', input: ['Ada', 'Grüße'] })),
  program('embeddings in floats', (api) =>
    api.embeddings.create({ model: 'trial', input: 'Ada', encoding_format: 'float' }),
  ),
];

const STREAMED: readonly ModelProgram[] = [
  program('chat stream', async (api) =>
    collected(await api.chat.completions.create({ ...chat(EVERYTHING), stream: true })),
  ),
  program('chat stream, two choices, usage and logprobs', async (api) => {
    const options = { n: 2, logprobs: true, stream: true, stream_options: { include_usage: true } } as const;
    return collected(await api.chat.completions.create({ ...chat(EVERYTHING), ...options }));
  }),
  program('chat stream, two tool calls', async (api) =>
    collected(
      await api.chat.completions.create({
        ...chat(`${CALL}\ncall: weather {"city": "Rome"}`),
        tools: [{ type: 'function', function: WEATHER }],
        stream: true,
      }),
    ),
  ),
  program('chat stream, refusal', async (api) =>
    collected(await api.chat.completions.create({ ...chat('refuse: I can not do that'), stream: true })),
  ),
  program('chat stream, put together by the SDK', (api) =>
    api.chat.completions.stream(chat('say: The whole sentence.')).finalChatCompletion(),
  ),
  program('chat, tools run by the SDK', async (api) => {
    const run = (args: { readonly city: string }): string => `It rains in ${args.city}`;
    const parse = (text: string): { readonly city: string } => JSON.parse(text) as { city: string };
    const tool = { ...WEATHER, parameters: { ...WEATHER.parameters, required: ['city'] }, function: run, parse };
    const runner = api.chat.completions.runTools({ ...chat(CALL), tools: [{ type: 'function', function: tool }] });
    return runner.finalContent();
  }),
  program('responses stream', async (api) =>
    collected(await api.responses.create({ model: 'trial', input: `${EVERYTHING}\n${CALL}`, stream: true })),
  ),
  program('responses stream, refusal', async (api) =>
    collected(await api.responses.create({ model: 'trial', input: 'refuse: no', stream: true })),
  ),
  program('responses stream, put together by the SDK', (api) =>
    api.responses.stream({ model: 'trial', input: EVERYTHING }).finalResponse(),
  ),
  program('completions stream', async (api) =>
    collected(await api.completions.create({ model: 'trial', prompt: 'say: once upon', stream: true })),
  ),
];

/** Answers that are cut, encoded and broken in every way the upstream knows. */
const ODD: readonly ModelProgram[] = [
  ...['encoding=gzip', 'encoding=br', 'encoding=deflate', 'encoding=gzip;chunk=7', 'chunk=1', 'crlf=1', 'chars=40000'],
  ...['fault=cut', 'fault=malformed', 'fault=wrong-type', 'fault=error-event', 'fault=no-end', 'fault=reset'],
  ...['status=400', 'status=403', 'status=404', 'status=429', 'status=500', 'status=503'],
].flatMap((steering) => [
  program(steering, (api) => api.chat.completions.create(chat('say: Hello, Ada. How are you?', `trial;${steering}`))),
  program(`stream, ${steering}`, async (api) =>
    collected(
      await api.chat.completions.create({
        ...chat('say: Hello, Ada. How are you?', `trial;${steering}`),
        stream: true,
      }),
    ),
  ),
  program(`responses stream, ${steering}`, async (api) =>
    collected(
      await api.responses.create({ model: `trial;${steering}`, input: 'say: Hello, Ada. How are you?', stream: true }),
    ),
  ),
]);

export const OPENAI_PROGRAMS: readonly ModelProgram[] = [...WHOLE, ...STREAMED, ...ODD];
