import { createServer as createHttp, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SinkEvent } from '../../src/core/sink-event.js';

export function sinkEvent(uid: string, more: Partial<SinkEvent> = {}): SinkEvent {
  return {
    type: 'approval.requested',
    time: 1_764_000_000_000,
    message: 'alice@example.com asks for approval of a statement on postgres',
    category_uid: 6,
    class_uid: 6005,
    activity_id: 99,
    type_uid: 600599,
    severity_id: 2,
    severity: 'Low',
    metadata: {
      uid,
      version: '1.5.0',
      product: { name: 'hoop', vendor_name: 'hoop', version: '1' },
      event_code: 'approval.requested',
    },
    actor: {
      user: { uid: 'alice', email_addr: 'alice@example.com', type: 'person', groups: [{ name: 'engineering' }] },
      session: { uid: 's-1', issuer: 'https://id.example.com' },
    },
    dst_endpoint: { name: 'postgres', type: 'postgres' },
    query_info: { query_string: 'DELETE FROM payments WHERE id = 7' },
    unmapped: { request: 'r-1', flows: ['dba-review'] },
    ...more,
  };
}

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** An HTTP server that keeps what it is sent and answers as it is told. */
export async function startReceiver() {
  const received: Received[] = [];
  const state = { status: 200, headers: {} as Record<string, string>, answer: '' };
  const server = createHttp((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      });
      response.writeHead(state.status, state.headers).end(state.answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    received,
    state,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
