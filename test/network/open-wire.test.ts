import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { AgentApi } from '../../src/client/agent-api.js';
import { issueLocalCertificate } from '../../src/client/ports/issue-certificate.js';
import { openWire } from '../../src/network/open-wire.js';
import { acceptTunnel } from '../../src/tunnel/accept.js';
import { dialTunnel } from '../../src/tunnel/dial.js';
import { ConnectProxy } from '../support/connect-proxy.js';
import { makeFolder } from '../support/folders.js';

const closing: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function proxy(options?: Parameters<typeof ConnectProxy.open>[0]): Promise<ConnectProxy> {
  const opened = await ConnectProxy.open(options);
  closing.push(() => opened.close());
  return opened;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** An agent as far as a laptop's way to it goes; its certificate is for `localhost`. */
async function tlsAgent(): Promise<{ readonly port: number; readonly caFile: string }> {
  const { cert, key } = await issueLocalCertificate(Date.now(), 10);
  const server = createTlsServer({ cert, key }, (request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ path: request.url, authorization: request.headers.authorization }));
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      acceptTunnel(webSocket, { onClose: () => undefined }).onStream((stream) => {
        stream.onData((bytes) => void stream.write(bytes));
      });
    });
  });
  const caFile = join(makeFolder('ca'), 'ca.pem');
  writeFileSync(caFile, cert);
  return { port: await listen(server), caFile };
}

describe('openWire', () => {
  it('carries a tunnel through a proxy that wants a login, under TLS from end to end', async () => {
    const { port, caFile } = await tlsAgent();
    const through = await proxy({ login: 'ann:p@ss' });
    const tunnel = await dialTunnel({
      agentUrl: `https://localhost:${String(port)}`,
      connection: 'postgres',
      token: 'token',
      caFile,
      env: { HTTPS_PROXY: `http://ann:p%40ss@127.0.0.1:${String(through.port)}` },
    });
    const stream = tunnel.openStream();
    const echoed = new Promise<string>((resolve) => {
      stream.onData((bytes) => {
        resolve(Buffer.from(bytes).toString());
      });
    });
    stream.write(Buffer.from('through'));
    expect(await echoed).toBe('through');
    expect(through.asked).toEqual([`localhost:${String(port)}`]);
    tunnel.close();
  });

  it('carries the REST interface through the proxy of the environment', async () => {
    const { port, caFile } = await tlsAgent();
    const through = await proxy();
    const before = process.env['https_proxy'];
    process.env['https_proxy'] = `http://127.0.0.1:${String(through.port)}`;
    try {
      const api = new AgentApi({ url: `https://localhost:${String(port)}`, token: () => Promise.resolve('t'), caFile });
      expect(await api.get('/v1/whoami')).toEqual({ path: '/v1/whoami', authorization: 'Bearer t' });
    } finally {
      if (before === undefined) delete process.env['https_proxy'];
      else process.env['https_proxy'] = before;
    }
    expect(through.asked).toEqual([`localhost:${String(port)}`]);
  });

  it('verifies the agent behind the proxy: another name than that of its certificate is refused', async () => {
    const { port, caFile } = await tlsAgent();
    const through = await proxy();
    const env = { HTTPS_PROXY: `http://127.0.0.1:${String(through.port)}` };
    const target = new URL(`https://agent.test:${String(port)}`);
    await expect(openWire(target, { env, caFile, timeoutMs: 5_000 })).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });

  it('does not trust the agent’s certificate without HOOP_CA_FILE', async () => {
    const { port } = await tlsAgent();
    const target = new URL(`https://localhost:${String(port)}`);
    await expect(openWire(target, { env: {}, timeoutMs: 5_000 })).rejects.toMatchObject({
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    });
  });

  it.each([
    [407, 'the proxy wants a login'],
    [403, 'the proxy refused the connection to the agent'],
  ])('says what a proxy means by %d', async (status, message) => {
    const through = await proxy({ status });
    const env = { HTTPS_PROXY: `http://127.0.0.1:${String(through.port)}` };
    await expect(openWire(new URL('https://agent.test'), { env, timeoutMs: 5_000 })).rejects.toMatchObject({
      code: 'unreachable',
      message,
    });
  });

  it('says that the proxy, and not the agent, is not there', async () => {
    const through = await proxy();
    const env = { HTTPS_PROXY: `http://127.0.0.1:${String(through.port)}` };
    await through.close();
    closing.length = 0;
    await expect(openWire(new URL('https://agent.test'), { env, timeoutMs: 5_000 })).rejects.toMatchObject({
      message: 'the proxy can not be reached',
    });
  });

  it.each(['proxy', 'TLS'])('gives up on a silent %s when the time is up', async (silent) => {
    const server = createTcpServer((socket) => socket.on('error', () => undefined).resume());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const target = new URL(silent === 'proxy' ? 'https://agent.test' : `https://127.0.0.1:${String(port)}`);
    const env = silent === 'proxy' ? { HTTPS_PROXY: `http://127.0.0.1:${String(port)}` } : {};
    await expect(openWire(target, { env, timeoutMs: 50 })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  });

  it('reaches a plain agent without a proxy with no step between', async () => {
    const port = await listen(createServer());
    const socket = await openWire(new URL(`http://127.0.0.1:${String(port)}`), { env: {}, timeoutMs: 5_000 });
    expect(socket.remotePort).toBe(port);
    socket.destroy();
  });
});
