import { describe, expect, it } from 'vitest';
import { DIALECTS } from '../../../src/protocols/registry.js';
import { wholeThrough } from './masked-answer.js';

const { openai } = DIALECTS;
const event = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;

const DOCUMENT = JSON.stringify({ choices: [{ message: { audio: { id: 'a', data: 'UklGRg==', transcript: 'hi' } } }] });
const STREAMS: readonly (readonly [string, object])[] = [
  ['a chat', { choices: [{ index: 0, delta: { audio: { id: 'a', data: 'UklGRg==' } } }] }],
  ['a response', { type: 'response.audio.delta', delta: 'UklGRg==' }],
  ['a response, by its newer name', { type: 'response.output_audio.delta', delta: 'UklGRg==' }],
  ['speech', { type: 'speech.audio.delta', audio: 'UklGRg==' }],
];

describe('an answer in which a model speaks', () => {
  it('ends where it is masked and nothing unread may go on, in one document', () => {
    const through = (narrow: boolean): string => wholeThrough((options) => openai.json(options), DOCUMENT, { narrow });
    expect(() => through(true)).toThrow('audio in it can not be inspected');
    expect(through(false)).toBe(DOCUMENT);
  });

  it.each(STREAMS)('ends as a stream of %s', (_name, data) => {
    const through = (narrow: boolean): string =>
      wholeThrough((options) => openai.eventStream(options), event(data), { narrow });
    expect(() => through(true)).toThrow('audio in it can not be inspected');
    expect(through(false)).toBe(event(data));
  });

  it('goes on with the text of what is said, and with how it is to be said', () => {
    const said = event({ choices: [{ index: 0, delta: { audio: { id: 'a', transcript: 'hi ' } } }] });
    const asked = JSON.stringify({ audio: { voice: 'alloy', format: 'wav' }, modalities: ['text', 'audio'] });
    expect(wholeThrough((options) => openai.eventStream(options), said, { narrow: true })).toBe(said);
    expect(wholeThrough((options) => openai.json(options), asked, { narrow: true })).toBe(asked);
  });
});
