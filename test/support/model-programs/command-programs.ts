import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ModelProgram, Place } from './program.js';

const CHAT = { model: 'trial', messages: [{ role: 'user', content: 'say: Grüße, Ada' }] };
const TIME_LIMIT_MS = 30_000;

async function printed(program: string, args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const options = { env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env }, timeout: TIME_LIMIT_MS };
  const { stdout } = await promisify(execFile)(program, args, options);
  return stdout;
}

function curl(
  name: string,
  args: (place: Place) => readonly string[],
  provider: 'openai' | 'anthropic' = 'openai',
): ModelProgram {
  const run = (place: Place): Promise<string> => printed('curl', ['-sS', '-N', '--max-time', '20', ...args(place)]);
  return { name: `curl: ${name}`, provider, run };
}

const asOpenAi = ({ url, apiKey }: Place, body: unknown): readonly string[] => [
  ...[`${url}/v1/chat/completions`, '-H', `authorization: Bearer ${apiKey}`, '-H', 'content-type: application/json'],
  ...['-w', '\n%{http_code} %{content_type}', '-d', JSON.stringify(body)],
];

const CURL: readonly ModelProgram[] = [
  curl('chat', (place) => asOpenAi(place, CHAT)),
  curl('chat stream', (place) => asOpenAi(place, { ...CHAT, stream: true })),
  curl('chat stream, compressed', (place) => [
    ...asOpenAi(place, { ...CHAT, model: 'trial;encoding=br', stream: true }),
    '--compressed',
  ]),
  curl('chat over HTTP 1.0', (place) => ['-0', ...asOpenAi(place, CHAT)]),
  curl('chat, a body in chunks', (place) => [...asOpenAi(place, CHAT), '-H', 'transfer-encoding: chunked']),
  curl(
    'message stream',
    ({ url, apiKey }) => [
      ...[`${url}/v1/messages`, '-H', `x-api-key: ${apiKey}`, '-H', 'anthropic-version: 2023-06-01'],
      ...['-H', 'content-type: application/json', '-d', JSON.stringify({ ...CHAT, max_tokens: 50, stream: true })],
    ],
    'anthropic',
  ),
];

/** With the `openai` package where Python has it, else with what comes with Python. */
const PYTHON = `
import json, os, sys
url, key = os.environ['PLACE_URL'] + '/v1', os.environ['PLACE_KEY']
messages = [{'role': 'user', 'content': 'say: Grüße, Ada'}]
try:
    import openai
except ImportError:
    openai = None
if openai and os.environ.get('PLAIN') != '1':
    client = openai.OpenAI(base_url=url, api_key=key, max_retries=0)
    print(client.chat.completions.create(model='trial', messages=messages).choices[0].message.content)
    for chunk in client.chat.completions.create(model='trial', messages=messages, stream=True):
        print(repr(chunk.choices[0].delta.content))
    try:
        client.chat.completions.create(model='trial;status=429', messages=messages)
    except openai.RateLimitError as error:
        print('RateLimitError', error.status_code, error.code)
else:
    from urllib.request import Request, urlopen
    for stream in (False, True):
        body = json.dumps({'model': 'trial', 'messages': messages, 'stream': stream}).encode()
        headers = {'authorization': 'Bearer ' + key, 'content-type': 'application/json'}
        with urlopen(Request(url + '/chat/completions', body, headers), timeout=20) as answer:
            print(answer.status, answer.headers['content-type'])
            for line in answer:
                sys.stdout.write(line.decode())
`;

function python(name: string, env: Record<string, string>): ModelProgram {
  const run = ({ url, apiKey }: Place): Promise<string> => {
    const place = { PLACE_URL: url, PLACE_KEY: apiKey, PYTHONIOENCODING: 'utf8', ...env };
    return printed(process.env['HOOP_TEST_PYTHON'] ?? 'python3', ['-c', PYTHON], place);
  };
  return { name: `python: ${name}`, provider: 'openai', run };
}

/** Programs that are no part of this project's packages: `curl` and Python (another one by `HOOP_TEST_PYTHON`). */
export const COMMAND_PROGRAMS: readonly ModelProgram[] = [
  ...CURL,
  python('urllib', { PLAIN: '1' }),
  python('its openai package where it is there', {}),
];
