import type Anthropic from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';
import { anthropicRequests } from '../../../src/protocols/anthropic/requests.js';
import type { RequestReading } from '../../../src/protocols/http/dialect.js';
import { bodyOf, requestOf } from '../http/model-body.js';

const read = (path: string, body: unknown): RequestReading => anthropicRequests.read(requestOf(path), bodyOf(body));
const base64 = (text: string): string => Buffer.from(text).toString('base64');

const MESSAGE: Anthropic.MessageCreateParams = {
  model: 'claude-sonnet-4-5',
  max_tokens: 1024,
  stream: true,
  system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
  metadata: { user_id: 'someone' },
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Read this' },
        { type: 'document', title: 'Notes', source: { type: 'text', media_type: 'text/plain', data: 'CONFIDENTIAL' } },
      ],
    },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'hm', signature: 'EqQB+/=' },
        { type: 'redacted_thinking', data: 'EmwK+/=' },
        {
          type: 'tool_use',
          id: 'toolu_1',
          name: 'find',
          input: { who: 'Alice', card: 4111111111111111, id: '123-45-6789' },
        },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: 'found her' }] },
        { type: 'text', text: 'And now?' },
      ],
    },
    { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_2', name: 'find', input: {} }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_2', content: 'nothing' }] },
  ],
  tools: [
    {
      name: 'find',
      description: 'Finds people',
      input_schema: { type: 'object', properties: { who: { type: 'string', description: 'a name' } } },
    },
  ],
};

describe('a message', () => {
  it('says who says what, results of tools apart from what the user says', () => {
    const reading = read('/v1/messages', MESSAGE);
    expect(reading.facts.llm).toMatchObject({
      provider: 'anthropic',
      model: 'claude-sonnet-4-5',
      maxTokens: 1024,
      stream: true,
      lastUser: 'And now?',
      tools: [{ name: 'find', description: 'Finds people' }],
      messages: [
        { role: 'system', text: 'Be brief.' },
        { role: 'user', text: 'Read this\nNotes\nCONFIDENTIAL' },
        { role: 'assistant', text: 'hm\nwho\nAlice\ncard\n4111111111111111\nid\n123-45-6789' },
        { role: 'tool', text: 'found her' },
        { role: 'user', text: 'And now?' },
        { role: 'assistant', text: '' },
        { role: 'tool', text: 'nothing' },
      ],
    });
    for (const text of ['Finds people', 'a name', 'someone']) expect(reading.facts.llm?.['prompt']).toContain(text);
    expect(reading).toMatchObject({
      endpoint: 'messages',
      text: 'nothing',
      from: 'tool',
      ambiguous: false,
      uninspected: [],
    });
  });

  it.each([
    [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } }, 'an image'],
    [{ type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } }, 'a file at an address'],
    [
      { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: base64('%PDF-1.7') } },
      'a file',
    ],
    [{ type: 'document', source: { type: 'file', file_id: 'file_1' } }, 'a file by its id'],
    [{ type: 'container_upload', file_id: 'file_1' }, 'a file by its id'],
    [{ type: 'hologram' }, 'content of an unknown kind'],
    [{ type: 'tool_result', tool_use_id: 't', content: [{ type: 'hologram' }] }, 'content of an unknown kind'],
  ])('with %j has %s that is not inspected', (block, kind) => {
    const messages = [{ role: 'user', content: [block] }];
    expect(read('/v1/messages', { model: 'm', max_tokens: 1, messages }).uninspected).toEqual([kind]);
  });

  it('has documents of text in base64 and of blocks read', () => {
    const content = [
      { type: 'document', source: { type: 'base64', media_type: 'text/csv', data: base64('a;b') } },
      { type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'inner' }] } },
    ];
    const reading = read('/v1/messages', { model: 'm', messages: [{ role: 'user', content }] });
    expect([reading.facts.llm?.['prompt'], reading.uninspected]).toEqual(['a;b\ninner', []]);
  });

  it.each([
    '{"messages":[{"role":"user","content":"a"}],"messages":[]}',
    '{"messages":[{"role":"user","content":[{"type":"tool_use","id":"t","name":"n","input":{"a":1,"a":2}}]}]}',
    '{"System":"a","messages":[]}',
    '{"messages":[{"role":"user","Content":"a"}]}',
  ])('is ambiguous where a name stands twice, or in other capitals: %s', (body) => {
    expect(read('/v1/messages', body).ambiguous).toBe(true);
  });

  it('may have names in any capitals in the input of a tool', () => {
    const content = [{ type: 'tool_use', id: 't', name: 'n', input: { Text: 'a', Model: [{ Role: 1 }] } }];
    expect(read('/v1/messages', { messages: [{ role: 'assistant', content }] }).ambiguous).toBe(false);
  });
});

describe('tools of a conversation', () => {
  it('are also those that are added in its middle, and those of a listing', () => {
    const tool = {
      name: 'bash',
      description: 'Runs a command',
      input_schema: { properties: { tools: [{ name: 'x' }] } },
    };
    const reading = read('/v1/messages', {
      model: 'm',
      messages: [
        { role: 'user', content: 'hi' },
        { role: 'system', content: [{ type: 'tool_addition', tool: { type: 'tool_definition', definition: tool } }] },
        {
          role: 'assistant',
          content: [{ type: 'mcp_tool_listing', mcp_server_name: 'crm', tools: [{ name: 'find', input_schema: {} }] }],
        },
      ],
      tools: [{ type: 'mcp_toolset', mcp_server_name: 'crm', tools: [{ name: 'list', input_schema: {} }] }],
    });
    const names = (reading.facts.llm?.['tools'] as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual(['bash', 'find', 'crm', 'list']);
    expect(reading.uninspected).toEqual([]);
  });
});

describe('other endpoints', () => {
  it('count tokens of the same body', () => {
    const reading = read('/v1/messages/count_tokens', { model: 'm', messages: [{ role: 'user', content: 'one' }] });
    expect([reading.endpoint, reading.facts.llm?.['lastUser']]).toEqual(['messages.count_tokens', 'one']);
  });

  it('batch requests: all prompts, models, tools, and the sum of tokens', () => {
    const params = (model: string, content: string) => ({
      model,
      max_tokens: 10,
      messages: [{ role: 'user', content }],
      tools: [{ name: `${content}-tool`, input_schema: { type: 'object' } }],
    });
    const body = {
      requests: [
        { custom_id: 'first one', params: params('a', 'one') },
        { custom_id: 'b', params: params('b', 'two') },
        { custom_id: 'c', params: params('a', 'three') },
      ],
    };
    expect(read('/v1/messages/batches', body)).toMatchObject({
      endpoint: 'messages.batches',
      model: 'a,b',
      facts: {
        llm: {
          model: 'a,b',
          maxTokens: 30,
          lastUser: 'three',
          messages: [{ text: 'one' }, { text: 'two' }, { text: 'three' }],
          tools: [{ name: 'one-tool' }, { name: 'two-tool' }, { name: 'three-tool' }],
          prompt: 'first one\none\nobject\ntwo\nobject\nthree\nobject'.replaceAll('object', 'type\nobject'),
        },
      },
    });
  });

  it('complete a prompt', () => {
    const reading = read('/v1/complete', { model: 'm', prompt: '\n\nHuman: hi', max_tokens_to_sample: 5 });
    expect(reading.facts.llm).toMatchObject({ prompt: '\n\nHuman: hi', lastUser: '\n\nHuman: hi', maxTokens: 5 });
  });

  it('that nobody knows have facts http alone', () => {
    expect(read('/v1/files', { model: 'm' }).facts.llm).toBeUndefined();
  });
});
