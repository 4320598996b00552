import { type IncomingMessage, request } from 'node:http';
import { escapeControls } from '../../core/display.js';
import { HoopError } from '../../core/errors.js';
import type { HttpType } from '../../core/resources.js';
import type { TunnelClient } from '../../tunnel/dial.js';
import { StreamSocket } from '../../tunnel/stream-socket.js';
import type { PortKey } from '../ports/port-key.js';
import { type AnswerSink, answerSink } from './answer-sink.js';
import { ApprovalWait } from './approval-wait.js';
import { httpFailure, lostAnswer } from './http-failure.js';
import type { HttpInput } from './http-input.js';
import type { PacedOutput } from './paced-output.js';

export interface HttpRunOptions {
  readonly tunnel: TunnelClient;
  readonly type: HttpType;
  readonly input: HttpInput;
  /** What the tunnel was opened with. */
  readonly portKey: PortKey | undefined;
  readonly format: 'json' | 'ndjson' | undefined;
  /** Longest wait for one approval, in ms; the agent's own bound where absent. */
  readonly waitMs?: number;
  readonly output: PacedOutput;
  /** Is the output a terminal? */
  readonly terminal: boolean;
  readonly say: (line: string) => void;
  /** Takes what the agent says meanwhile. */
  readonly onEvent: (event: Readonly<Record<string, unknown>>) => void;
}

/** Most of an error's body that is read. */
const MAX_ERROR_BYTES = 64 * 1024;

/**
 * Sends one request and prints its answer as it comes.
 *
 * @throws HoopError http for a status from 400 on; blocked, approval_denied, approval_timeout, limit, token_refused,
 *   upstream_unreachable by the agent's own codes; unreachable where the answer is lost
 */
export async function runHttp(options: HttpRunOptions): Promise<void> {
  const socket = new StreamSocket(options.tunnel.openStream());
  const listeners: ((event: Readonly<Record<string, unknown>>) => void)[] = [options.onEvent];
  options.tunnel.onEvent((event) => {
    for (const listener of listeners) listener(event);
  });
  const wait = new ApprovalWait({ onEvent: (listener) => listeners.push(listener) }, options.waitMs, () =>
    socket.destroy(),
  );
  let begun = false;
  try {
    await exchange(socket, options, () => (begun = true));
  } catch (error) {
    throw wait.timeout ?? lostAnswer(error, begun);
  } finally {
    wait.stop();
    await options.output.finish();
    socket.destroy();
  }
}

function exchange(socket: StreamSocket, options: HttpRunOptions, onBegun: () => void): Promise<void> {
  const { input, type, portKey } = options;
  return new Promise((resolve, reject) => {
    const sent = request({
      method: input.method,
      path: input.path,
      setHost: false,
      headers: {
        // The agent takes local names alone, as for a port.
        host: 'localhost',
        'accept-encoding': 'identity',
        ...input.headers,
        ...keyHeader(type, portKey),
        ...(input.body === '' ? {} : { 'content-length': Buffer.byteLength(input.body) }),
      },
      createConnection: () => socket,
    });
    sent.once('response', (response) => {
      onBegun();
      // In this very turn: what breaks off at once would else have nobody to tell.
      receive(response, options).then(resolve, reject);
    });
    sent.on('error', reject);
    sent.end(input.body);
  });
}

function keyHeader(type: HttpType, portKey: PortKey | undefined): Record<string, string> {
  if (portKey === undefined) return {};
  return type === 'anthropic' ? { 'x-api-key': portKey.key } : { authorization: `Bearer ${portKey.key}` };
}

async function receive(response: IncomingMessage, options: HttpRunOptions): Promise<void> {
  const status = response.statusCode ?? 0;
  for (const warning of response.headersDistinct['x-hoop-warning'] ?? []) options.say(escapeControls(warning));
  if (status >= 400) throw httpFailure(status, await errorBody(response));
  if (status >= 300) options.say(`answered HTTP ${String(status)}${toward(response)}; hoop follows no redirect`);
  const sink = sinkFor(response, options);
  options.output.onHold((held) => {
    if (held) response.pause();
    else response.resume();
  });
  await new Promise<void>((resolve, reject) => {
    // A fault of ours ends the answer with it, as one of the stream's own would.
    const guarded = (step: () => void): void => {
      try {
        step();
      } catch (error) {
        response.destroy(error instanceof Error ? error : new Error('unprintable answer', { cause: error }));
      }
    };
    response.on('data', (part: Buffer) => {
      guarded(() => {
        sink.push(part);
      });
    });
    response.once('error', reject);
    response.once('close', () => {
      reject(new Error('the connection was closed'));
    });
    response.once('end', () => {
      guarded(() => {
        sink.end();
        resolve();
      });
    });
  });
}

function sinkFor(response: IncomingMessage, options: HttpRunOptions): AnswerSink {
  const coding = response.headers['content-encoding'] ?? 'identity';
  const readable = coding === 'identity' || coding === '';
  const raw = options.format === undefined && options.input.endpoint === undefined && !options.terminal;
  if (!readable && !raw) {
    throw new HoopError('protocol', 'the answer is compressed, though that was not asked for', {
      suggestion: 'leave out --json and -o, and send it to a file',
    });
  }
  return answerSink({
    format: options.format,
    contentType: (response.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '',
    endpoint: options.input.endpoint,
    terminal: options.terminal,
    print: (part) => {
      options.output.print(part);
    },
    say: options.say,
  });
}

async function errorBody(response: IncomingMessage): Promise<string> {
  const stated = Number(response.headers['content-length'] ?? '0');
  if (stated > MAX_ERROR_BYTES) {
    response.destroy();
    return '';
  }
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    parts.push(part);
    length += part.length;
    if (length > MAX_ERROR_BYTES) break;
  }
  return Buffer.concat(parts).toString('utf8');
}

function toward(response: IncomingMessage): string {
  const { location } = response.headers;
  return location === undefined ? '' : `, to ${escapeControls(location)}`;
}
