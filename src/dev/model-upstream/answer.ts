import type { Script } from './script.js';
import type { Steering } from './steering.js';

export interface JsonObject {
  readonly [name: string]: unknown;
}

/** A request of a model API, read. */
export interface ModelRequest {
  readonly body: JsonObject;
  readonly model: string;
  /** Made from the request alone, so that the same request twice gets the same bytes. */
  readonly id: string;
  readonly steering: Steering;
  readonly script: Script;
  readonly inputTokens: number;
}

/** One event of an event stream. */
export interface StreamEvent {
  /** The field `event`; none for chat completions. */
  readonly name?: string;
  /** The field `data`, one line. */
  readonly data: string;
}

/** What a route answers. */
export type Answer =
  | {
      readonly kind: 'whole';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly contentType: string;
      readonly body: string;
    }
  | {
      readonly kind: 'events';
      readonly events: Iterable<StreamEvent>;
      /** Ends the stream as the dialect tells of an error in its middle. */
      readonly error: StreamEvent;
    };

export function jsonAnswer(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Answer {
  return { kind: 'whole', status, headers, contentType: 'application/json', body: JSON.stringify(body) };
}

/** The same for every run, so that answers can be compared byte by byte. In seconds. */
export const CREATED = 1_760_000_000;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

export function textIn(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
