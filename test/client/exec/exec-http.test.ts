import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ExecOptions } from '../../../src/client/exec/exec-run.js';
import { execText } from '../../../src/client/exec/exec-text.js';
import { StreamSocket } from '../../../src/tunnel/stream-socket.js';
import { TunnelEndpoint } from '../tunnel-pair.js';

interface Seen {
  readonly line: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

let endpoint: TunnelEndpoint;
let http: Server;
let seen: Seen[];
let answer: (response: ServerResponse, request: Seen) => void;

beforeEach(async () => {
  endpoint = await TunnelEndpoint.open();
  seen = [];
  http = createServer((request, response) => {
    void text(request).then((body) => {
      const got = { line: `${request.method ?? ''} ${request.url ?? ''}`, headers: request.headers, body };
      seen.push(got);
      answer(response, got);
    });
  });
  endpoint.onStream((stream) => {
    http.emit('connection', new StreamSocket(stream));
  });
});

afterEach(() => endpoint.close());

interface Ran {
  readonly stdout: string;
  readonly lines: readonly string[];
  readonly error: unknown;
}

async function run(input: string, options: Partial<ExecOptions> & { readonly terminal?: boolean } = {}): Promise<Ran> {
  const parts: Buffer[] = [];
  const lines: string[] = [];
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      parts.push(chunk);
      done();
    },
  });
  const answers: Record<string, unknown> = {
    '/v1/connections': ['openai', 'anthropic', 'http'].map((type) => ({ name: type, type, database: '' })),
    '/v1/whoami': { email: 'ana@example.com' },
  };
  const error: unknown = await execText({
    access: {
      api: { url: endpoint.url, get: <T>(path: string) => Promise.resolve(answers[path] as T) },
      token: () => Promise.resolve('token'),
    },
    connection: 'openai',
    source: { text: input, stdin: Readable.from([]) },
    format: 'table',
    singleTransaction: false,
    stdout: Object.assign(sink, { isTTY: options.terminal === true }),
    say: (line) => lines.push(line),
    ...options,
  }).catch((thrown: unknown) => thrown);
  return { stdout: Buffer.concat(parts).toString(), lines, error };
}

const CHAT = '{"model":"m","messages":[{"role":"user","content":"hi"}]}';

function answerJson(value: unknown, status = 200): void {
  answer = (response) => {
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(value));
  };
}

/** Answers an event stream cut into pieces of so many bytes. */
function answerEvents(events: readonly (string | object)[], size = 7): void {
  const stream = events
    .map((event) => (typeof event === 'string' ? event : `data: ${JSON.stringify(event)}\n\n`))
    .join('');
  answer = (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const bytes = Buffer.from(stream);
    for (let at = 0; at < bytes.length; at += size) response.write(bytes.subarray(at, at + size));
    response.end();
  };
}

describe('a warning of a rule', () => {
  it('is said beside the answer, and nothing in it acts on the terminal', async () => {
    answer = (response) => {
      response.setHeader('x-hoop-warning', ['warning by policy p/a: Take care.', 'warning by policy p/b: \x80']);
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end('{"choices":[{"message":{"content":"Hi."}}]}');
    };
    const { stdout, lines } = await run(CHAT);
    expect(stdout).toBe('Hi.\n');
    expect(lines).toEqual([
      'warning by policy p/a: Take care.',
      expect.stringMatching(/^warning by policy p\/b: [ -~]+$/),
    ]);
  });
});

describe('hoop exec of an HTTP type', () => {
  it('sends the body as it was given, with the key whose hash the tunnel was opened with', async () => {
    answerJson({ choices: [{ index: 0, message: { content: 'Hello' }, finish_reason: 'stop' }] });
    expect(await run(CHAT)).toEqual({ stdout: 'Hello\n', lines: [], error: undefined });
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ line: 'POST /v1/chat/completions', body: CHAT, headers: { host: 'localhost' } });
    const key = seen[0]?.headers.authorization?.replace('Bearer ', '') ?? '';
    expect(key).toMatch(/^sk-hoop-[A-Za-z0-9_-]{43}$/);
    expect(endpoint.headers[0]?.['x-hoop-port-key']).toBe(createHash('sha256').update(key).digest('hex'));
  });

  it('shows the key to an anthropic connection as x-api-key, and none to an http connection', async () => {
    answerJson({ type: 'message', content: [{ type: 'text', text: 'Hi' }], stop_reason: 'end_turn' });
    expect((await run(CHAT, { connection: 'anthropic' })).stdout).toBe('Hi\n');
    expect(seen[0]?.headers['x-api-key']).toMatch(/^sk-hoop-/);
    expect(seen[0]?.headers['anthropic-version']).toBe('2023-06-01');
    await run('GET /x', { connection: 'http' });
    expect(seen[1]?.headers).not.toHaveProperty('authorization');
    expect(endpoint.headers[1]).not.toHaveProperty('x-hoop-port-key');
  });

  it('prints two choices, a refusal and tool calls, and says that an answer was cut at its length', async () => {
    answerJson({
      choices: [
        { index: 0, message: { content: 'One' }, finish_reason: 'length' },
        {
          index: 1,
          message: { refusal: 'No', tool_calls: [{ function: { name: 'find', arguments: '{"id":1}' } }] },
          finish_reason: 'tool_calls',
        },
      ],
    });
    expect(await run(CHAT)).toMatchObject({
      stdout: 'One\n\nNo\nfind({"id":1})\n',
      lines: ['the answer is not complete: length'],
    });
  });

  it.each([1, 2, 7, 10_000])('prints a stream of chat deltas cut every %i B as its text', async (size) => {
    const delta = (index: number, value: object): object => ({ choices: [{ index, delta: value }] });
    answerEvents(
      [
        ': waiting for approval\n\n',
        delta(0, { role: 'assistant', content: '' }),
        delta(0, { content: 'Grüße, ' }),
        delta(1, { content: 'An' }),
        delta(0, { content: '世界' }),
        delta(1, { content: 'other' }),
        delta(0, { tool_calls: [{ index: 0, function: { name: 'find', arguments: '' } }] }),
        delta(0, { tool_calls: [{ index: 0, function: { arguments: '{"a":' } }] }),
        delta(0, { tool_calls: [{ index: 0, function: { arguments: '1}' } }] }),
        { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] },
        'data: [DONE]\n\n',
      ],
      size,
    );
    expect((await run(CHAT)).stdout).toBe('Grüße, 世界\n\nAnother\nfind({"a":1})\n');
  });

  it('prints text before the stream has ended', async () => {
    let finish: () => void = () => undefined;
    answer = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'first' } }] })}\n\n`);
      finish = () => response.end('data: [DONE]\n\n');
    };
    const arrived = await new Promise<string>((resolve) => {
      const stdout = new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          if (chunk.length > 0) resolve(chunk.toString());
          done();
        },
      });
      void run(CHAT, { stdout });
    });
    expect(arrived).toBe('first');
    finish();
  });

  it('prints streams of messages and of responses as their text', async () => {
    answerEvents([
      'event: message_start\ndata: {"type":"message_start","message":{"content":[]}}\n\n',
      'event: ping\ndata: {"type":"ping"}\n\n',
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi ' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'there' } },
      { type: 'content_block_start', index: 1, content_block: { type: 'tool_use', name: 'find', input: {} } },
      { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"a":' } },
      { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '2}' } },
      { type: 'message_delta', delta: { stop_reason: 'max_tokens' } },
      { type: 'message_stop' },
    ]);
    expect(await run(CHAT, { connection: 'anthropic' })).toMatchObject({
      stdout: 'Hi there\nfind({"a":2})\n',
      lines: ['the answer is not complete: max_tokens'],
    });
    answerEvents([
      { type: 'response.created', response: { output: [] } },
      { type: 'response.output_text.delta', delta: 'All ' },
      { type: 'response.output_text.delta', delta: 'well' },
      {
        type: 'response.output_item.done',
        output_index: 1,
        item: { type: 'function_call', name: 'f', arguments: '{}' },
      },
      { type: 'response.completed', response: { output: [{ type: 'message', content: [{ text: 'All well' }] }] } },
    ]);
    expect((await run('{"model":"m","input":"x"}')).stdout).toBe('All well\nf({})\n');
  });

  it('prints under -o json the answer as it came, and of a stream one event a line', async () => {
    answer = (response) => {
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end('{"id": 12345678901234567890, "x":"\u009b2J"}\n');
    };
    expect((await run(CHAT, { format: 'json' })).stdout).toBe('{"id": 12345678901234567890, "x":"\\u009b2J"}\n');
    answerEvents([{ a: 1 }, 'event: ping\n\n', 'data: {"b":\ndata: 2}\n\n', 'data: [DONE]\n\n']);
    expect((await run(CHAT, { format: 'json' })).stdout).toBe('{"a":1}\n{"b": 2}\n');
    expect((await run(CHAT, { format: 'ndjson' })).stdout).toBe('{"a":1}\n{"b": 2}\n');
  });

  it('passes the bytes of any other answer on as they are, where stdout is no terminal', async () => {
    const bytes = Buffer.from([0xff, 0x00, 0x1b, 0x5b, 0x41]);
    answer = (response) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(bytes);
    };
    const { stdout } = await run('GET /file', { connection: 'http' });
    expect(stdout).toBe(bytes.toString());
  });

  it('indents JSON on a terminal, and shows there what could act on it', async () => {
    answerJson({ name: 'Ann\u001b[2J' });
    expect((await run('GET /customers/42', { connection: 'http', terminal: true })).stdout).toBe(
      '{\n  "name": "Ann\\u001b[2J"\n}\n',
    );
    answer = (response) => {
      response.writeHead(200, { 'content-type': 'text/plain' }).end('a\r\nb\u001b]0;x\u0007');
    };
    expect((await run('GET /x', { connection: 'http', terminal: true })).stdout).toBe('a\nb\\x1b]0;x\\x07\n');
    answerEvents([{ choices: [{ index: 0, delta: { content: 'x\u001b[31m\n' } }] }]);
    expect((await run(CHAT, { terminal: true })).stdout).toBe('x\\x1b[31m\n');
  });

  it('prints the body of a model answer in which there is nothing to read', async () => {
    answerJson({ object: 'list', data: [1] });
    expect((await run('POST /v1/embeddings {"model":"m","input":"x"}')).stdout).toBe('{"object":"list","data":[1]}');
    expect((await run(CHAT)).stdout).toBe('{"object":"list","data":[1]}');
  });

  it('prints nothing for an empty answer, and says where a redirect leads without following it', async () => {
    answer = (response) => {
      response.writeHead(302, { location: 'https://elsewhere.example/\u00e9' }).end();
    };
    expect(await run('DELETE /x', { connection: 'http' })).toMatchObject({
      stdout: '',
      lines: [
        expect.stringMatching(/^answered HTTP 302, to https:\/\/elsewhere\.example\/.*; hoop follows no redirect$/),
      ],
      error: undefined,
    });
    expect(seen).toHaveLength(1);
  });

  it.each([
    [
      403,
      { error: { message: 'blocked by policy p/r: no', type: 'hoop_blocked', code: 'hoop_blocked' } },
      'blocked',
      5,
    ],
    [403, { error: { message: 'denied', type: 'x', code: 'hoop_denied' } }, 'approval_denied', 6],
    [403, { type: 'error', error: { type: 'hoop_approval_timeout', message: 'late' } }, 'approval_timeout', 7],
    [502, { error: { code: 'hoop_upstream_unreachable', message: 'down' } }, 'upstream_unreachable', 8],
    [401, { error: { code: 'hoop_unauthorized', message: 'key' } }, 'token_refused', 3],
    [413, { error: { code: 'hoop_too_large', message: 'over 16 MiB' } }, 'limit', 1],
    [429, { error: { message: 'slow down', type: 'requests', code: 'rate_limit_exceeded' } }, 'http', 1],
    [529, { type: 'error', error: { type: 'overloaded_error', message: 'busy' } }, 'http', 1],
    [502, '<html>bad gateway</html>', 'http', 1],
  ])('fails for HTTP %i %j with %s and exit status %i', async (status, body, code, exitStatus) => {
    answerJson(body, status);
    const { error, stdout } = await run(CHAT);
    expect(error).toMatchObject({ code, exitStatus });
    expect(stdout).toBe('');
  });

  it('says in one line each what and why, of the upstream’s words no more than 500 characters', async () => {
    answerJson({ error: { message: `no\n such\u001b[2J model ${'x'.repeat(1000)}` } }, 404);
    const { error } = await run(CHAT);
    expect(error).toMatchObject({ message: 'the answer is HTTP 404' });
    expect((error as { why: string }).why).toMatch(/^no such\\x1b\[2J model x{470,}…$/);
  });

  it('fails with the code of an error inside of a stream, after the text that came before', async () => {
    answerEvents([
      { choices: [{ index: 0, delta: { content: 'so far' } }] },
      { error: { message: 'blocked by policy p/answers: no', code: 'hoop_blocked' } },
    ]);
    expect(await run(CHAT)).toMatchObject({ stdout: 'so far\n', error: { code: 'blocked' } });
    answerEvents(['event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"busy"}}\n\n']);
    expect(await run(CHAT, { connection: 'anthropic' })).toMatchObject({ error: { code: 'http', why: 'busy' } });
  });

  it('fails with unreachable when the answer breaks off, and with what it came to before', async () => {
    answer = (response) => {
      response.writeHead(200, { 'content-type': 'text/plain' }).write('half', () => response.destroy());
    };
    expect(await run('GET /x', { connection: 'http' })).toMatchObject({
      stdout: 'half',
      error: { code: 'unreachable', message: 'the answer broke off' },
    });
    answer = (response) => response.destroy();
    expect((await run(CHAT)).error).toMatchObject({ code: 'unreachable', message: 'the connection was lost' });
  });

  it('refuses to print under -o json what is no text, and what is compressed', async () => {
    answer = (response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(Buffer.from([0xff]));
    };
    expect((await run(CHAT, { format: 'json' })).error).toMatchObject({ code: 'protocol' });
    answer = (response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'application/json' }).end('x');
    };
    expect((await run(CHAT, { format: 'json' })).error).toMatchObject({ code: 'protocol' });
  });

  it('shows what it waits for, and gives up with approval_timeout after --wait', async () => {
    let hungUp: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => (hungUp = resolve));
    answer = (response) => {
      response.on('close', hungUp);
      const news = { event: 'approval.waiting', request: 'r1', expiresAt: '2026-11-21T00:00:00Z' };
      endpoint.tunnels[0]?.sendEvent(news);
    };
    const { error, lines } = await run(CHAT, { wait: '1s' });
    expect(error).toMatchObject({ code: 'approval_timeout', exitStatus: 7 });
    expect(lines).toEqual(['openai: waits for approval until 2026-11-21T00:00:00Z: hoop approve r1']);
    await gone;
  });

  it.each([
    ['--single-transaction', { singleTransaction: true }],
    ['-o csv', { format: 'csv' as const }],
  ])('refuses %s', async (_flag, options) => {
    answerJson({});
    expect((await run(CHAT, options)).error).toMatchObject({ code: 'usage' });
    expect(seen).toEqual([]);
  });

  it('carries 20 MB to a reader that takes it late, without holding it', async () => {
    const total = 20_000_000;
    const chunk = Buffer.alloc(100_000, 'x');
    let written = 0;
    let mostAhead = 0;
    let taken = 0;
    answer = (response) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      const write = (): void => {
        while (written < total) {
          written += chunk.length;
          mostAhead = Math.max(mostAhead, written - taken);
          if (!response.write(chunk)) {
            response.once('drain', write);
            return;
          }
        }
        response.end();
      };
      write();
    };
    const stdout = new Writable({
      highWaterMark: 64 * 1024,
      write: (part: Buffer, _encoding, done) => {
        taken += part.length;
        setImmediate(done);
      },
    });
    expect((await run('GET /big', { connection: 'http', stdout })).error).toBeUndefined();
    expect(taken).toBe(total);
    expect(mostAhead).toBeLessThan(4_000_000);
  });
});
