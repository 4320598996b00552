import { ModelUpstream } from '../../src/dev/model-upstream/model-upstream.js';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startTestAgent, type TestAgent, type TestAgentOptions } from './agent.js';
import type { Place } from './model-programs/program.js';

/** Known to the agent alone; nothing a caller sees, and nothing recorded, may hold them. */
export const UPSTREAM_KEYS = {
  openaiKey: 'sk-upstream-4f1c0b7a92d85e36',
  anthropicKey: 'ak-upstream-a8d30e64c71b9f25',
} as const;

export type ModelConnection = 'openai' | 'anthropic' | 'http';

/** A real agent in this process with a connection of each type to one model upstream. */
export interface ModelAgent extends TestAgent {
  readonly upstream: ModelUpstream;
  /** The agent's own port, with the caller's token as key. */
  direct(connection: ModelConnection, caller?: Parameters<TestAgent['token']>[0]): Promise<Place>;
  /** Everything that was recorded so far, as text. */
  recorded(): Promise<string>;
}

export interface ModelAgentOptions extends TestAgentOptions {
  /** Lines below `spec:` of every connection, e.g. `uninspected: allow`. */
  readonly modelSpec?: string;
  /** The same of the connection `openai` alone. */
  readonly openaiSpec?: string;
}

export async function startModelAgent(options: ModelAgentOptions = {}): Promise<ModelAgent> {
  const upstream = await ModelUpstream.start(UPSTREAM_KEYS);
  const documents = [connectionsTo(upstream, options), ...(options.policies ? [options.policies] : [])];
  const agent = await startTestAgent({
    ...options,
    policies: documents.join('---\n'),
    env: { OPENAI_KEY: UPSTREAM_KEYS.openaiKey, ANTHROPIC_KEY: UPSTREAM_KEYS.anthropicKey, ...options.env },
  });
  return {
    ...agent,
    upstream,
    direct: async (connection, caller) => ({
      url: `${agent.agent.url}/c/${connection}`,
      apiKey: await agent.token(caller),
    }),
    recorded: () => textBelow(agent.recordings),
    close: async () => {
      await agent.close();
      await upstream.close();
    },
  };
}

function connectionsTo(upstream: ModelUpstream, { modelSpec = '', openaiSpec = '' }: ModelAgentOptions): string {
  const connection = (type: ModelConnection, key: string): string => `apiVersion: hoop/v1
kind: Connection
metadata: { name: ${type}, labels: { env: test } }
spec:
  type: ${type}
  url: ${upstream.url}
  credentials: ${key === '' ? "[{ groups: ['*'] }]" : `[{ groups: ['*'], apiKey: { env: ${key} } }]`}
  access: { groups: [engineering, dba] }
  ${modelSpec}
  ${type === 'openai' ? openaiSpec : ''}
`;
  return [connection('openai', 'OPENAI_KEY'), connection('anthropic', 'ANTHROPIC_KEY'), connection('http', '')].join(
    '---\n',
  );
}

async function textBelow(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.ndjson'));
  const texts = await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), 'utf8')));
  return texts.join('\n');
}
