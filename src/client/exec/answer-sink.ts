import { quietJson } from '../../core/display.js';
import { HoopError } from '../../core/errors.js';
import { EventStreamReader, type ServerEvent } from '../../protocols/http/answers/event-stream-reader.js';
import { type AnswerPiece, piecesOf } from './answer-pieces.js';
import { AnswerWriter } from './answer-writer.js';
import { streamFailure } from './http-failure.js';
import type { TextEndpoint } from './http-input.js';
import { parsedJson } from './json-fields.js';
import type { Print } from './result-writer.js';
import { shown } from './shown-print.js';

/** Prints the body of one answer, however it was cut. */
export interface AnswerSink {
  /** Throws HoopError `limit`, `protocol`, and what an event of a stream says went wrong. */
  push(part: Uint8Array): void;
  end(): void;
}

export interface AnswerSinkOptions {
  /** Undefined: for people. */
  readonly format: 'json' | 'ndjson' | undefined;
  /** In lower case, without parameters. */
  readonly contentType: string;
  readonly endpoint: TextEndpoint | undefined;
  readonly terminal: boolean;
  readonly print: Print;
  readonly say: (line: string) => void;
}

/** Largest answer, or event, that is read whole. */
const MAX_WHOLE_BYTES = 64 << 20;

/** The sink for an answer of this kind: what can be printed as it comes is never held. */
export function answerSink(options: AnswerSinkOptions): AnswerSink {
  const { format, contentType, endpoint, terminal } = options;
  const events = contentType === 'text/event-stream';
  if (events && format !== undefined) return eventSink(jsonLines(options.print));
  if (format !== undefined) return wholeSink((bytes) => options.print(jsonText(bytes)));
  if (events && endpoint !== undefined) return eventSink(eventText(endpoint, options));
  const json = contentType === 'application/json' || contentType.endsWith('+json');
  if (json && endpoint !== undefined) return wholeSink((bytes) => wholeText(bytes, endpoint, options));
  if (json && terminal) return wholeSink((bytes) => options.print(pretty(bytes)));
  return terminal ? shownSink(options.print) : { push: options.print, end: () => undefined };
}

/** What events of a stream become. */
interface EventTaker {
  event(json: unknown, text: string): void;
  end(): void;
}

function eventSink(taker: EventTaker): AnswerSink {
  const reader = new EventStreamReader(MAX_WHOLE_BYTES);
  const take = (events: readonly ServerEvent[]): void => {
    for (const { data } of events) {
      if (data === undefined || data === '[DONE]') continue;
      const json = parsedJson(data);
      if (json === undefined) throw new HoopError('protocol', 'an event of the answer is no JSON');
      const failure = streamFailure(json);
      if (failure !== undefined) {
        taker.end();
        throw failure;
      }
      taker.event(json, data);
    }
  };
  return {
    push: (part) => {
      take(reader.push(part));
    },
    end: () => {
      take(reader.end());
      taker.end();
    },
  };
}

function jsonLines(print: Print): EventTaker {
  return {
    // One event, one line: JSON text holds line ends only between its values.
    event: (_json, text) => {
      print(`${quietJson(text.replaceAll('\n', ' '))}\n`);
    },
    end: () => undefined,
  };
}

function eventText(endpoint: TextEndpoint, options: AnswerSinkOptions): EventTaker {
  const writer = new AnswerWriter(options.print, options);
  return {
    event: (json) => {
      for (const piece of piecesOf(endpoint, json)) writer.piece(piece);
    },
    end: () => {
      writer.end();
    },
  };
}

function wholeSink(show: (bytes: Uint8Array) => void): AnswerSink {
  const parts: Uint8Array[] = [];
  let length = 0;
  return {
    push: (part) => {
      parts.push(part);
      length += part.length;
      if (length > MAX_WHOLE_BYTES)
        throw new HoopError('limit', `the answer is over ${String(MAX_WHOLE_BYTES >> 20)} MiB`);
    },
    end: () => {
      if (length > 0) show(Buffer.concat(parts));
    },
  };
}

function wholeText(bytes: Uint8Array, endpoint: TextEndpoint, options: AnswerSinkOptions): void {
  const pieces: readonly AnswerPiece[] = piecesOf(endpoint, parsedJson(decoded(bytes)));
  if (pieces.length === 0) {
    options.print(options.terminal ? pretty(bytes) : bytes);
    return;
  }
  const writer = new AnswerWriter(options.print, options);
  for (const piece of pieces) writer.piece(piece);
  writer.end();
}

/** The body as JSON: as it came where it is some, else its text as one string. */
function jsonText(bytes: Uint8Array): string {
  const text = decoded(bytes);
  return `${quietJson(parsedJson(text) === undefined ? JSON.stringify(text) : text.trimEnd())}\n`;
}

/** For a terminal: indented, where it is JSON. */
function pretty(bytes: Uint8Array): string {
  const text = decoded(bytes);
  const json = parsedJson(text);
  return json === undefined ? shown(text) : `${quietJson(JSON.stringify(json, undefined, 2))}\n`;
}

/** Text on its way to a terminal, as it comes. */
function shownSink(print: Print): AnswerSink {
  const decoder = new TextDecoder();
  let last = '\n';
  const show = (text: string): void => {
    last = text.at(-1) ?? last;
    print(shown(text));
  };
  return {
    push: (part) => {
      show(decoder.decode(part, { stream: true }));
    },
    end: () => {
      show(decoder.decode());
      if (last !== '\n') print('\n');
    },
  };
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new HoopError('protocol', 'the answer is no UTF-8 text', {
      suggestion: 'leave out --json and -o, and send it to a file',
    });
  }
}
