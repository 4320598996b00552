import { describe, expect, it } from 'vitest';
import { plainEventStream, plainJson } from '../../../../src/protocols/http/answers/plain-answer.js';
import { ARGUMENTS, maskedJson, maskedText, piecesOf, secretsIn, TEXT, wholeThrough } from '../masked-answer.js';
import { chatTexts, messageTexts, responseTexts } from '../model-clients.js';
import { chatStream, messageStream, responseStream } from '../model-streams.js';

const events = (pieces: readonly unknown[]): string =>
  pieces.map((piece) => `data: ${typeof piece === 'string' ? piece : JSON.stringify(piece)}\n\n`).join('');

describe('an event stream of an API of which nothing is known', () => {
  it('takes the data of events with the same name for one text: a value over two events is masked', () => {
    const out = wholeThrough(plainEventStream, events(['ask alice@', 'example.com, or', ' bob']));
    expect(out).toBe(events(['ask ', '[email], ', 'or ', 'bob']));
  });

  it.each([2, 3, 10, TEXT.length])('masks a text in up to %i events as the whole', (parts) => {
    // Not inside of a character: no event can hold half of one.
    const pieces = parts === TEXT.length ? [...TEXT] : piecesOf(TEXT, parts);
    const out = wholeThrough(plainEventStream, events(pieces));
    expect(secretsIn(out)).toEqual([]);
    const text = out
      .split('\n\n')
      .map((event) => event.replace(/^data: /, ''))
      .join('');
    expect(text).toBe(maskedText(TEXT));
  });

  it('does not mix events of different names', () => {
    const out = wholeThrough(
      plainEventStream,
      'event: a\ndata: alice@\n\nevent: b\ndata: x \n\nevent: a\ndata: example.com \n\n',
    );
    expect(out).toBe('event: a\ndata: \n\nevent: b\ndata: x \n\nevent: a\ndata: [email] \n\n');
  });

  it('knows the shapes of model APIs: their streams come out as with their dialect, in the SDKs', async () => {
    const pieces = piecesOf(TEXT, 10);
    const masked = [maskedText(TEXT), maskedText(TEXT)];
    const chat = wholeThrough(plainEventStream, chatStream(pieces, 2, 'text'));
    const responses = wholeThrough(plainEventStream, responseStream(pieces, 2, 'text'));
    const messages = wholeThrough(plainEventStream, messageStream(pieces, 2, 'text'));
    expect(secretsIn(chat + responses + messages)).toEqual([]);
    expect(await chatTexts(chat)).toEqual(masked);
    expect(await responseTexts(responses)).toMatchObject({ streamed: masked, whole: masked });
    expect(await messageTexts(messages)).toEqual(masked);
    const call = wholeThrough(plainEventStream, chatStream(piecesOf(ARGUMENTS, 10), 1, 'tool arguments'));
    expect(await chatTexts(call)).toEqual([maskedJson(ARGUMENTS)]);
  });

  it('masks JSON of other shapes string by string, ids and names too, and pieces across events', () => {
    const out = wholeThrough(
      plainEventStream,
      events([
        { id: 'alice@example.com', n: 4111111111111111, token: 'bob@' },
        { token: 'example.org ', 'bob@example.org': 1 },
      ]),
    );
    expect(out).toBe(
      events([
        { id: '[email]', n: null, token: '' },
        { token: '[email] ', '[email]': 1 },
      ]),
    );
  });

  it('gives every JSON-RPC message whole', () => {
    const message = (text: string): object => ({ jsonrpc: '2.0', method: 'say', params: { text } });
    const out = wholeThrough(plainEventStream, events([message('tell bob'), message('@example.org')]));
    expect(out).toBe(events([message('tell bob'), message('@example.org')]));
  });

  it('keeps JSON in a stream of text a part of it, in its place', () => {
    expect(wholeThrough(plainEventStream, events(['say', '{}', ' then']))).toBe(events(['', 'say{}', ' ', 'then']));
  });

  it('passes byte for byte where nothing is found', () => {
    const stream = ': hi\r\nretry: 5\r\n\r\ndata: one, \r\ndata: two. \r\n\r\nevent: x\r\ndata: {"a": 1.0}\r\n\r\n';
    expect(wholeThrough(plainEventStream, stream)).toBe(stream);
  });
});

describe('JSON of an API of which nothing is known', () => {
  it('is masked as the JSON text it is', () => {
    expect(wholeThrough(plainJson, ARGUMENTS)).toBe(maskedJson(ARGUMENTS));
  });
});
