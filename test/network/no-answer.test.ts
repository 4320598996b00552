import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { HoopError } from '../../src/core/errors.js';
import { fetchWellKnown } from '../../src/identity/well-known.js';
import { noAnswer } from '../../src/network/no-answer.js';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function listening(server: { listen(port: number, host: string, done: () => void): unknown; close(): void }) {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  return (server as unknown as { address(): AddressInfo }).address().port;
}

describe('an agent that does not answer', () => {
  it('is told with the file of HOOP_CA_FILE where its certificate is not trusted', () => {
    const error = Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    expect(noAnswer('the agent does not answer', 'https://a.example', error)).toMatchObject({
      code: 'unreachable',
      why: 'https://a.example: self-signed certificate',
      suggestion: 'name the PEM file of your certificate authority with HOOP_CA_FILE',
    });
  });

  it('speaks no TLS: that is said, and nothing of the source of OpenSSL', async () => {
    const port = await listening(createHttpServer());
    await expect(fetchWellKnown(`https://127.0.0.1:${port}`, {})).rejects.toMatchObject({
      why: `https://127.0.0.1:${port}: the TLS handshake failed`,
      suggestion: 'what listens there speaks no TLS: check the port, or whether the address begins with http',
    });
  });

  it('breaks plain http off, as one with TLS does: the address may begin with https', async () => {
    const port = await listening(createServer((socket) => socket.destroy()));
    await expect(fetchWellKnown(`http://127.0.0.1:${port}`, {})).rejects.toMatchObject({
      suggestion: 'check that its address is right: where the agent has TLS, it begins with https',
    });
  });

  it('gives the usual advice otherwise, and passes what is told already', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    expect(noAnswer('no', 'https://a.example', refused).suggestion).toBe(new HoopError('unreachable', '').suggestion);
    const told = new HoopError('config_invalid', 'the file of HOOP_CA_FILE cannot be read');
    expect(noAnswer('no', 'https://a.example', told)).toBe(told);
  });
});
