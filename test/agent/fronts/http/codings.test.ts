import type { ServerResponse } from 'node:http';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestAgent, type TestAgent } from '../../../support/agent.js';
import { startHttpUpstream, type HttpUpstream, type Seen } from '../../../support/http-upstream.js';
import { httpConnection } from '../../../support/http-connection.js';

const KEY = 'upstream-key-5d0e77aa';
const SECRETS = ['ann.lee@example.com', '4111 1111 1111 1111', KEY];

const delta = (content: string): string =>
  `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`;

/** The e-mail address is split over three events, the card over two. */
const EVENTS = `${['Write to ann.', 'lee@exam', 'ple.com, card 4111 1111 ', '1111 1111. ', `Key ${KEY}. `].map(delta).join('')}data: {"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`;
const DOCUMENT = JSON.stringify({
  id: 'c1',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: `Write to ann.lee@example.com, card 4111 1111 1111 1111. Key ${KEY}.` },
    },
  ],
});

const CODINGS: Readonly<Record<string, (text: string) => Buffer>> = {
  identity: (text) => Buffer.from(text),
  gzip: (text) => gzipSync(text),
  br: (text) => brotliCompressSync(text),
  deflate: (text) => deflateSync(text),
  'deflate, bare': (text) => deflateRawSync(text),
};

/** `x-coding` and `x-cut` of a request say how its answer is sent: the coding, and bytes a write. */
function answer({ headers, body }: Seen, response: ServerResponse): void {
  const coding = String(headers['x-coding']);
  const cut = Number(headers['x-cut']);
  const stream = (JSON.parse(body) as { stream?: boolean }).stream === true;
  const bytes = (CODINGS[coding] as (text: string) => Buffer)(stream ? EVENTS : DOCUMENT);
  response.writeHead(200, {
    'content-type': stream ? 'text/event-stream' : 'application/json',
    ...(coding === 'identity' ? {} : { 'content-encoding': coding.replace(', bare', '') }),
  });
  response.flushHeaders();
  let at = 0;
  const next = (): void => {
    if (at >= bytes.length) {
      response.end();
      return;
    }
    response.write(bytes.subarray(at, at + cut), () => setImmediate(next));
    at += cut;
  };
  next();
}

let upstream: HttpUpstream;
let agent: TestAgent;
let tokens: { readonly masked: string; readonly plain: string };

beforeAll(async () => {
  upstream = await startHttpUpstream(answer);
  agent = await startTestAgent({
    env: { MODEL_KEY: KEY },
    policies: `
${httpConnection('model', upstream.url, { type: 'openai', credentials: [{ apiKey: { env: 'MODEL_KEY' } }] })}
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: answers }
spec:
  match: { connections: [model], groups: [masked] }
  mask: [{ name: pii, entities: [email, credit-card], strategy: redact }]
`,
  });
  tokens = {
    masked: await agent.token({ groups: ['engineering', 'masked'] }),
    plain: await agent.token({ groups: ['engineering'] }),
  };
});

afterAll(async () => {
  await agent.close();
  upstream.close();
});

async function ask(token: string, stream: boolean, coding: string, cut: number): Promise<string> {
  const response = await fetch(`${agent.agent.url}/c/model/v1/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'x-coding': coding,
      'x-cut': String(cut),
    },
    body: JSON.stringify({ model: 'm', stream, messages: [] }),
  });
  expect(response.status).toBe(200);
  return response.text();
}

/** The text of an answer as a client puts it together. */
function textOf(body: string, stream: boolean): string {
  const parts = stream
    ? body.split('\n').flatMap((line) => (line.startsWith('data: {') ? [line.slice('data: '.length)] : []))
    : [body];
  return parts
    .map((part) => {
      const { choices } = JSON.parse(part) as {
        choices: { delta?: { content?: string }; message?: { content: string } }[];
      };
      return choices[0]?.delta?.content ?? choices[0]?.message?.content ?? '';
    })
    .join('');
}

describe('an answer in any coding, cut anywhere', () => {
  for (const stream of [true, false]) {
    for (const coding of Object.keys(CODINGS)) {
      it(`is masked and without the credential: ${stream ? 'stream' : 'document'}, ${coding}, 1, 2, 7, 61 and all bytes a write`, async () => {
        for (const cut of [1, 2, 7, 61, 1 << 20]) {
          const body = await ask(tokens.masked, stream, coding, cut);
          for (const secret of SECRETS) expect(body).not.toContain(secret);
          expect(textOf(body, stream).trimEnd()).toMatch(
            /^Write to \[email\], card \[credit-card\]\. Key \[credential\]\**\.$/,
          );
        }
      });

      it(`is as it was but for the credential where nothing masks: ${stream ? 'stream' : 'document'}, ${coding}`, async () => {
        for (const cut of [1, 13, 1 << 20]) {
          const body = await ask(tokens.plain, stream, coding, cut);
          expect(body).not.toContain(KEY);
          const original = stream ? EVENTS : DOCUMENT;
          expect(body).toBe(original.replace(KEY, '[credential]'.padEnd(KEY.length, '*')));
        }
      });
    }
  }
});
