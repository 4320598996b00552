import type { HttpType } from '../../src/core/resources.js';
import { startTestAgent, type TestAgent, type TestAgentOptions } from './agent.js';
import { httpConnection } from './http-connection.js';
import { startHttpUpstream, type Handler, type HttpUpstream } from './http-upstream.js';

/** A real agent in this process with connections to one real HTTP server. */
export interface HttpAgent extends TestAgent {
  readonly upstream: HttpUpstream;
  /** One request straight to the agent, with a token of its caller. */
  ask(connection: string, path: string, request?: HttpAsk): Promise<Response>;
}

export interface HttpAsk extends RequestInit {
  readonly headers?: Readonly<Record<string, string>>;
  readonly caller?: Parameters<TestAgent['token']>[0];
}

export interface HttpAgentOptions extends TestAgentOptions {
  /** By name: the type, or members of `spec` besides address and access, which everybody has. */
  readonly connections: Readonly<
    Record<string, HttpType | { readonly type: HttpType; readonly [key: string]: unknown }>
  >;
}

/** @param answer what the server answers */
export async function startHttpAgent(answer: Handler, options: HttpAgentOptions): Promise<HttpAgent> {
  const upstream = await startHttpUpstream(answer);
  const documents = Object.entries(options.connections).map(([name, given]) => {
    const own = typeof given === 'string' ? { type: given } : given;
    return httpConnection(name, upstream.url, { access: { groups: ['*'] }, ...own });
  });
  const policies = [options.policies ?? '', ...documents].join('\n');
  const agent = await startTestAgent({ ...options, policies });
  return {
    ...agent,
    upstream,
    ask: async (connection, path, { caller, ...request } = {}) =>
      fetch(`${agent.agent.url}/c/${connection}${path}`, {
        ...request,
        headers: { authorization: `Bearer ${await agent.token(caller)}`, ...request.headers },
      }),
    close: async () => {
      await agent.close();
      upstream.close();
    },
  };
}
