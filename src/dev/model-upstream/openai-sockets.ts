import type { WebSocket } from 'ws';
import { isObject, listOf, textIn, type JsonObject } from './answer.js';
import { newestMessage } from './newest-message.js';
import { responses } from './openai-responses.js';
import { scriptOf, tokensIn } from './script.js';
import { steeringOf } from './steering.js';

/** Kinds of events that a realtime session knows, and what it answers to those that only set something. */
const TOLD = new Map([
  ['session.update', 'session.updated'],
  ['conversation.item.delete', 'conversation.item.deleted'],
  ['conversation.item.truncate', 'conversation.item.truncated'],
  ['input_audio_buffer.clear', 'input_audio_buffer.cleared'],
  ['output_audio_buffer.clear', 'output_audio_buffer.cleared'],
]);

/**
 * One socket of OpenAI's: a session of the Realtime API, or the Responses API over a WebSocket. What the newest item of the
 * conversation asks for is said, as text, in pieces.
 *
 * @see https://platform.openai.com/docs/api-reference/realtime
 */
export class OpenAiSocket {
  readonly #items: JsonObject[] = [];
  #session: JsonObject;
  #events = 0;
  #answers = 0;
  #audioChars = 0;

  constructor(
    private readonly socket: WebSocket,
    private readonly kind: 'realtime' | 'responses',
    private readonly model: string,
  ) {
    this.#session = { type: 'realtime', object: 'realtime.session', id: 'sess_1', model };
    if (kind === 'realtime') this.#send({ type: 'session.created', session: this.#session });
    socket.on('message', (data: Buffer, binary) => {
      if (binary) this.#refuse('binary messages are not taken', undefined);
      else this.#take(data.toString());
    });
  }

  #take(text: string): void {
    let event: unknown;
    try {
      event = JSON.parse(text);
    } catch {
      event = undefined;
    }
    if (!isObject(event)) this.#refuse('not valid JSON', undefined);
    else if (this.kind === 'responses') this.#respond(event);
    else this.#act(event);
  }

  #act(event: JsonObject): void {
    const type = textIn(event['type']);
    switch (type) {
      case 'session.update':
        this.#session = { ...this.#session, ...(isObject(event['session']) ? event['session'] : {}) };
        break;
      case 'conversation.item.create':
        this.#add(isObject(event['item']) ? event['item'] : {});
        return;
      case 'input_audio_buffer.append':
        this.#audioChars += textIn(event['audio']).length;
        return;
      case 'input_audio_buffer.commit':
        this.#send({ type: 'input_audio_buffer.committed', item_id: 'item_spoken' });
        this.#add({
          type: 'message',
          role: 'user',
          content: [{ type: 'input_audio', transcript: `say: ${String(this.#audioChars)} heard` }],
        });
        // As a session does that hears when someone has stopped talking.
        if (this.#session['turn_detection'] !== null) this.#answer({});
        return;
      case 'response.create':
        this.#answer(isObject(event['response']) ? event['response'] : {});
        return;
      case 'response.cancel':
        this.#send({ type: 'response.cancelled', response_id: event['response_id'] ?? null });
        return;
      default:
    }
    const told = TOLD.get(type);
    if (told === undefined) this.#refuse(`unknown event ${type}`, event['event_id']);
    else this.#send({ type: told, ...(type === 'session.update' ? { session: this.#session } : {}) });
  }

  #add(given: JsonObject): void {
    const item = { id: `item_${String(this.#items.length + 1)}`, object: 'realtime.item', ...given };
    this.#items.push(item);
    this.#send({ type: 'conversation.item.added', previous_item_id: null, item });
    this.#send({ type: 'conversation.item.done', previous_item_id: null, item });
  }

  #answer(asked: JsonObject): void {
    const input = asked['input'] ?? this.#items.map(spoken);
    const body = { ...this.#session, ...asked, input, stream: true };
    this.#events += 1;
    for (const event of this.#streamed(body)) {
      const { sequence_number: _number, ...rest } = event;
      const response = isObject(rest['response']) ? rest['response'] : undefined;
      if (rest['type'] === 'response.in_progress') continue;
      if (rest['type'] === 'response.completed') this.#items.push(...listOf(response?.['output']).filter(isObject));
      const type = rest['type'] === 'response.completed' ? 'response.done' : rest['type'];
      this.#send({ ...rest, type, ...(response === undefined ? { response_id: this.#answerId } : {}) });
    }
  }

  #respond(event: JsonObject): void {
    if (event['type'] !== 'response.create') this.#refuse(`unknown event ${textIn(event['type'])}`, undefined);
    else for (const one of this.#streamed({ ...event, stream: true })) this.socket.send(JSON.stringify(one));
  }

  get #answerId(): string {
    return `resp_${String(this.#answers)}`;
  }

  #streamed(body: JsonObject): JsonObject[] {
    this.#answers += 1;
    const model = textIn(body['model']) || this.model;
    const steering = steeringOf(model);
    const arrived = JSON.stringify(body);
    const script = scriptOf(newestMessage(body), steering, () => arrived);
    const answer = responses({
      body,
      model,
      id: String(this.#answers),
      steering,
      script,
      inputTokens: tokensIn(arrived),
    });
    return answer.kind === 'events' ? [...answer.events].map(({ data }) => JSON.parse(data) as JsonObject) : [];
  }

  #refuse(message: string, eventId: unknown): void {
    const error = {
      type: 'invalid_request_error',
      code: 'invalid_event',
      message,
      param: null,
      event_id: eventId ?? null,
    };
    this.#send({ type: 'error', error });
  }

  #send(event: JsonObject): void {
    this.#events += 1;
    const { type, ...rest } = event;
    this.socket.send(JSON.stringify({ type, event_id: `event_${String(this.#events)}`, ...rest }));
  }
}

/** What was said aloud stands in its transcript. */
function spoken(item: JsonObject): JsonObject {
  const content = listOf(item['content'])
    .filter(isObject)
    .map((part) => ({ type: 'input_text', text: textIn(part['text']) || textIn(part['transcript']) }));
  return item['content'] === undefined ? item : { ...item, content };
}
