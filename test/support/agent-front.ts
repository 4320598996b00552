import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HoopError } from '../../src/core/errors.js';
import type { TokenVerifier } from '../../src/identity/token-verifier.js';
import type { WellKnown } from '../../src/identity/well-known.js';

export interface AgentFront {
  readonly url: string;
  close(): Promise<void>;
}

/** The two routes of the agent that a login needs, on the real verifier. */
export async function startAgentFront(wellKnown: WellKnown, verifier: TokenVerifier): Promise<AgentFront> {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const reply = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (request.url === '/.well-known/hoop') return reply(200, wellKnown);
    if (request.url !== '/v1/whoami')
      return reply(404, { error: { code: 'not_found', message: 'no such route', suggestion: '' } });
    try {
      reply(200, await verifier.verify((request.headers.authorization ?? '').replace(/^Bearer /, '')));
    } catch (error) {
      const { code, message, suggestion } = error as HoopError;
      reply(401, { error: { code, message, suggestion } });
    }
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
