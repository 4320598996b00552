import Anthropic from '@anthropic-ai/sdk';
import { collected, outcomeOf, type ModelProgram, type Place } from './program.js';

const client = ({ url, apiKey }: Place): Anthropic =>
  new Anthropic({ baseURL: url, apiKey, authToken: null, maxRetries: 0, logLevel: 'off' });

function program(name: string, run: (client: Anthropic) => Promise<unknown>): ModelProgram {
  const isBroken = /fault=(cut|reset)/.test(name);
  return {
    name: `anthropic: ${name}`,
    provider: 'anthropic',
    ...(isBroken ? { broken: true } : {}),
    run: (place) => outcomeOf(() => run(client(place))),
  };
}

const WEATHER = {
  name: 'weather',
  description: 'The weather of a city',
  input_schema: { type: 'object' as const, properties: { city: { type: 'string' } } },
};
const CALL = 'call: weather {"city": "Köln", "note": "line\\nbreak \\"quoted\\""}';
const EVERYTHING = `think: Let me see.\nsay: Grüße, Ada 👋🏽! A longer answer.\ncite: A passage\n${CALL}`;

const ask = (content: string, model = 'trial') => ({
  model,
  max_tokens: 100,
  messages: [{ role: 'user' as const, content }],
});

const PLAIN: readonly ModelProgram[] = [
  program('message', (api) => api.messages.create(ask('say: Hello, Ada'))),
  program('message with everything', (api) => api.messages.create({ ...ask(EVERYTHING), tools: [WEATHER] })),
  program('message, refusal', (api) => api.messages.create(ask('refuse: no'))),
  program('message, system and blocks', (api) =>
    api.messages.create({
      ...ask(''),
      system: 'You are terse.',
      messages: [{ role: 'user', content: [{ type: 'text', text: 'say: blocks' }] }],
    }),
  ),
  program('message, a tool’s result', (api) =>
    api.messages.create({
      ...ask(''),
      messages: [
        { role: 'user', content: CALL },
        { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'It rains' }] },
      ],
    }),
  ),
  program('count tokens', (api) => {
    const { model, messages } = ask('How many tokens are these?');
    return api.messages.countTokens({ model, messages });
  }),
  program('stream', async (api) => collected(await api.messages.create({ ...ask('say: Hello, Ada'), stream: true }))),
  program('stream with everything', async (api) =>
    collected(await api.messages.create({ ...ask(EVERYTHING), tools: [WEATHER], stream: true })),
  ),
  program('stream, put together by the SDK', (api) => api.messages.stream(ask(EVERYTHING)).finalMessage()),
];

const ODD: readonly ModelProgram[] = [
  ...['encoding=gzip', 'encoding=br', 'encoding=deflate', 'encoding=gzip;chunk=7', 'chunk=1', 'crlf=1', 'chars=40000'],
  ...['fault=cut', 'fault=malformed', 'fault=wrong-type', 'fault=error-event', 'fault=no-end', 'fault=reset'],
  ...['status=400', 'status=403', 'status=404', 'status=429', 'status=500', 'status=529'],
].flatMap((steering) => [
  program(steering, (api) => api.messages.create(ask('say: Hello, Ada. How are you?', `trial;${steering}`))),
  program(`stream, ${steering}`, async (api) =>
    collected(
      await api.messages.create({ ...ask('say: Hello, Ada. How are you?', `trial;${steering}`), stream: true }),
    ),
  ),
]);

export const ANTHROPIC_PROGRAMS: readonly ModelProgram[] = [...PLAIN, ...ODD];
