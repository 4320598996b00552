import { describe, expect, it } from 'vitest';
import { readBody } from '../../../src/protocols/http/bodies/read-body.js';
import type { RequestReading } from '../../../src/protocols/http/dialect.js';
import { DIALECTS } from '../../../src/protocols/registry.js';
import { bytesOf } from '../../masking/support.js';

interface Llm {
  readonly prompt: string;
  readonly lastUser: string;
  readonly stream: boolean;
  readonly messages: readonly { readonly role: string }[];
}

const llmOf = ({ facts }: RequestReading): Llm => facts['llm'] as unknown as Llm;

const read = (path: string, body: object) =>
  DIALECTS.openai.read(
    {
      method: 'POST',
      path,
      query: '',
      headers: [['content-type', 'application/json']],
      contentType: 'application/json',
    },
    readBody(bytesOf(JSON.stringify(body)), 'application/json'),
  );

describe("requests to Ollama's own API", () => {
  it('tell of a chat: who says what, the tools, the most tokens, and that it streams unless it says no', () => {
    const body = {
      model: 'llama3.2',
      messages: [
        { role: 'system', content: 'be brief' },
        { role: 'user', content: 'how warm is it' },
        {
          role: 'assistant',
          content: '',
          tool_calls: [{ function: { name: 'weather', arguments: { city: 'Bern' } } }],
        },
        { role: 'tool', tool_name: 'weather', content: '11 degrees' },
      ],
      tools: [{ type: 'function', function: { name: 'weather', description: 'of a city', parameters: {} } }],
      options: { num_predict: 64, temperature: 0 },
    };
    const reading = read('/api/chat', body);
    expect(reading).toMatchObject({ endpoint: 'ollama.chat', model: 'llama3.2', stream: false, mostTokens: 64 });
    expect(reading.uninspected).toEqual([]);
    expect(reading.facts.llm).toMatchObject({
      model: 'llama3.2',
      lastUser: 'how warm is it',
      tools: [{ name: 'weather', description: 'of a city' }],
      stream: true,
      maxTokens: 64,
    });
    expect(llmOf(reading).prompt.split('\n')).toEqual(
      expect.arrayContaining(['be brief', 'how warm is it', 'city', 'Bern', '11 degrees', 'of a city']),
    );
    expect(llmOf(reading).messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'tool']);
    expect(llmOf(read('/api/chat', { ...body, stream: false })).stream).toBe(false);
  });

  it('tell of a generation: system, template and suffix too', () => {
    const llm = llmOf(
      read('/API/generate/', {
        model: 'm',
        system: 'S',
        prompt: 'P',
        suffix: 'X',
        template: 'T {{.Prompt}}',
      }),
    );
    expect(llm.lastUser).toBe('P');
    expect(llm.prompt.split('\n').sort()).toEqual(['P', 'S', 'T {{.Prompt}}', 'X'].sort());
  });

  it.each([
    ['/api/embed', { model: 'm', input: ['a', 'b'] }, 'a\nb'],
    ['/api/embeddings', { model: 'm', prompt: 'a' }, 'a'],
  ])('tell what is embedded: %s', (path, body, prompt) => {
    expect(read(path, body).facts.llm).toMatchObject({ prompt, stream: false });
  });

  it('say what can not be read', () => {
    expect(read('/api/generate', { model: 'm', prompt: 'P', images: ['aGVsbG8='] }).uninspected).toEqual(['an image']);
    expect(read('/api/generate', { model: 'm', prompt: 'P', context: [1, 2] }).uninspected).toEqual([
      'tokens in the place of text',
    ]);
  });

  it('have no limit of tokens where it is below zero', () => {
    expect(read('/api/generate', { model: 'm', prompt: 'P', options: { num_predict: -1 } }).mostTokens).toBeNull();
  });

  it('are ambiguous where a name stands in another case too', () => {
    expect(read('/api/generate', { model: 'm', prompt: 'P', Prompt: 'Q' }).ambiguous).toBe(true);
  });

  it('are refused in words that its clients show', () => {
    const reading = read('/api/chat', { model: 'm', messages: [] });
    const { body } = DIALECTS.openai.refusal({ status: 403, code: 'hoop_blocked', message: 'blocked' }, reading);
    expect(JSON.parse(body)).toEqual({ error: 'blocked', code: 'hoop_blocked' });
  });
});
