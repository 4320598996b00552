import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { embedMany, generateText, jsonSchema, stepCountIs, streamText, tool, type LanguageModel } from 'ai';
import { outcomeOf, type ModelProgram, type Place } from './program.js';

const weather = tool({
  description: 'The weather of a city',
  inputSchema: jsonSchema<{ readonly city: string }>({ type: 'object', properties: { city: { type: 'string' } } }),
  execute: ({ city }) => `It rains in ${city}`,
});
/** Nothing is tried twice, and no model's size is guessed. */
const CAREFUL = { maxRetries: 0, maxOutputTokens: 100 };
const TOOL_PROMPT = 'call: weather {"city": "Rome"}';
const PROMPT = 'think: Let me see.\nsay: Hello, Ada. How are you?';

async function streamed(model: LanguageModel, prompt: string): Promise<unknown> {
  const result = streamText({ model, prompt, ...CAREFUL, onError: () => undefined });
  const parts: unknown[] = [];
  for await (const part of result.fullStream) {
    if (part.type === 'text-delta' || part.type === 'reasoning-delta') parts.push([part.type, part.text]);
    else if (part.type === 'error') parts.push([part.type, nameOf(part.error)]);
    else if (part.type === 'finish') parts.push([part.type, part.finishReason, part.totalUsage]);
    else parts.push(part.type);
  }
  return parts;
}

const nameOf = (error: unknown): string => (error as object).constructor.name;

function forModel(
  name: string,
  provider: ModelProgram['provider'],
  modelOf: (place: Place, id: string) => LanguageModel,
): readonly ModelProgram[] {
  const program = (what: string, run: (model: (id: string) => LanguageModel) => Promise<unknown>): ModelProgram => ({
    name: `ai: ${name}, ${what}`,
    provider,
    run: (place) => outcomeOf(() => run((id) => modelOf(place, id))),
  });
  return [
    program('text', async (model) => {
      const { text, finishReason, usage } = await generateText({
        model: model('trial'),
        prompt: PROMPT,
        ...CAREFUL,
      });
      return { text, finishReason, usage };
    }),
    program('tools', async (model) => {
      const options = { tools: { weather }, stopWhen: stepCountIs(3), ...CAREFUL };
      const { text, steps } = await generateText({ model: model('trial'), prompt: TOOL_PROMPT, ...options });
      return { text, calls: steps.flatMap((step) => step.toolCalls.map(({ toolName, input }) => [toolName, input])) };
    }),
    program('stream', (model) => streamed(model('trial'), PROMPT)),
    { ...program('stream, cut', (model) => streamed(model('trial;fault=cut'), PROMPT)), broken: true },
    program('stream, too many requests', (model) => streamed(model('trial;status=429'), PROMPT)),
  ];
}

const openai = ({ url, apiKey }: Place) => createOpenAI({ baseURL: `${url}/v1`, apiKey });
const anthropic = ({ url, apiKey }: Place) => createAnthropic({ baseURL: `${url}/v1`, apiKey });

/** The AI SDK over both providers. */
export const AI_SDK_PROGRAMS: readonly ModelProgram[] = [
  ...forModel('chat completions', 'openai', (place, id) => openai(place).chat(id)),
  ...forModel('responses', 'openai', (place, id) => openai(place).responses(id)),
  ...forModel('anthropic', 'anthropic', (place, id) => anthropic(place)(id)),
  {
    name: 'ai: embeddings',
    provider: 'openai',
    run: (place) =>
      outcomeOf(async () => {
        const model = openai(place).embeddingModel('trial');
        const { embeddings, usage } = await embedMany({ model, values: ['Ada', 'Grüße'], maxRetries: 0 });
        return { embeddings, usage };
      }),
  },
];
