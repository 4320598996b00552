import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { HoopError } from '../../core/errors.js';
import type { ErrorCode } from '../../core/errors.js';
import { TooManyLogins } from '../callers/login-limit.js';
import { Refusal } from './gate.js';
import type { Answer } from './route.js';

const JSON_TYPE = 'application/json; charset=utf-8';

/** HTTP status of each error; 500 for those that only the agent could mend. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  usage: 400,
  not_logged_in: 401,
  token_refused: 401,
  no_access: 403,
  not_allowed: 403,
  access_needed: 403,
  blocked: 403,
  approval_denied: 403,
  approval_timeout: 403,
  not_found: 404,
  already_decided: 409,
  limit: 413,
  not_in_version: 501,
  upstream_unreachable: 502,
  upstream_auth: 502,
  unreachable: 503,
};

/** A failure as the wire tells it. */
export interface Failure {
  readonly status: number;
  readonly body: {
    readonly error: { readonly code: ErrorCode; readonly message: string; readonly suggestion: string };
  };
  readonly headers: Readonly<Record<string, string>>;
}

/** Any thrown thing as status and body. What no `HoopError` foresaw is told as `failed`, nothing of it shown. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof TooManyLogins)
    return failureOf(new Refusal(429, thrown.error, { 'retry-after': String(thrown.retryAfterS) }));
  const error =
    thrown instanceof Refusal
      ? thrown.error
      : thrown instanceof HoopError
        ? thrown
        : new HoopError('failed', 'the agent failed to answer', {
            suggestion: 'ask who runs the agent to read its log',
          });
  const status = thrown instanceof Refusal ? thrown.status : (STATUS[error.code] ?? 500);
  return {
    status,
    body: { error: { code: error.code, message: error.message, suggestion: error.suggestion } },
    headers:
      status === 401 ? { 'www-authenticate': 'Bearer realm="hoop"' } : thrown instanceof Refusal ? thrown.headers : {},
  };
}

/** Sends an answer whole. Resolves when it is sent or the reader has gone; a stream that breaks off cuts the answer. */
export async function send(
  response: ServerResponse,
  answer: Answer,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const status = answer.status ?? 200;
  const contentType = 'json' in answer ? JSON_TYPE : answer.contentType;
  const common = {
    ...headers,
    'content-type': contentType,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  };
  if (!('stream' in answer)) {
    const text = 'json' in answer ? JSON.stringify(answer.json) : answer.text;
    response.writeHead(status, { ...common, 'content-length': String(Buffer.byteLength(text)) });
    response.end(text);
    return;
  }
  response.writeHead(status, common);
  await pipeline(answer.stream, response).catch(() => response.destroy());
}

/** Sends a failure and tells its status. A request whose body is still coming ends its connection: nobody reads the rest. */
export async function sendFailure(
  request: IncomingMessage,
  response: ServerResponse,
  thrown: unknown,
): Promise<number> {
  const failure = failureOf(thrown);
  if (response.headersSent) {
    response.destroy();
    return failure.status;
  }
  const close = request.complete ? {} : { connection: 'close' };
  await send(response, { status: failure.status, json: failure.body }, { ...failure.headers, ...close });
  return failure.status;
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  408: 'Request Timeout',
  413: 'Content Too Large',
  414: 'URI Too Long',
  421: 'Misdirected Request',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  503: 'Service Unavailable',
};

/** Refuses an upgrade, or a request that Node could not parse, on its bare socket, and ends that. */
export function refuseSocket(socket: Duplex, thrown: unknown): void {
  if (socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, body, headers } = failureOf(thrown);
  const text = JSON.stringify(body);
  const lines = Object.entries({
    ...headers,
    'content-type': JSON_TYPE,
    'content-length': String(Buffer.byteLength(text)),
    'cache-control': 'no-store',
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.on('error', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${REASONS[status] ?? 'Error'}\r\n${lines.join('')}\r\n${text}`, () =>
    socket.destroy(),
  );
}
