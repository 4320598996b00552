import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createQuietServer, listenOnPort } from '../../../src/client/ports/local-listener.js';
import { findListener, portHolder } from '../../../src/client/ports/port-holder.js';

const LINE = (port: string, state: string, inode: string): string =>
  `   0: 0100007F:${port} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  1001        0 ${inode} 1 0 100 0 0 10 0\n`;

describe('portHolder', () => {
  it('finds the listening socket of a port, and no connection on the same one', () => {
    const tables = `  sl  local_address …\n${LINE('3C48', '01', '7')}${LINE('3C49', '0A', '8')}${LINE('3C48', '0A', '9')}`;
    expect(findListener(tables, 0x3c48)).toEqual({ uid: 1001, inode: '9' });
    expect(findListener(tables, 0x3c50)).toBeUndefined();
    expect(findListener('', 1)).toBeUndefined();
  });

  it.runIf(process.platform === 'linux')('names program and process of a taken port in the error', async () => {
    const script = `require('node:net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    const [printed] = (await once(child.stdout, 'data')) as [Buffer];
    const port = Number(printed.toString());
    await expect(listenOnPort(createQuietServer(), '127.0.0.1', port)).rejects.toMatchObject({
      code: 'port_taken',
      why: expect.stringMatching(new RegExp(`^\\S+ \\(process ${String(child.pid)}\\) listens there$`)) as string,
    });
    child.kill();
    await once(child, 'close');
  });

  it.runIf(process.platform === 'linux')('knows nobody for a port that is free', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise<void>((resolve) =>
      server.close(() => {
        resolve();
      }),
    );
    expect(await portHolder(port)).toBeUndefined();
  });
});
