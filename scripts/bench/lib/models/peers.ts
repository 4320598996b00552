import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { guard } from '../../../../test/support/guarded-process.js';
import { freePort } from '../../../../test/support/postgres-server.js';
import type { Missing } from '../target.js';
import type { LoadTarget } from './load.js';
import { UPSTREAM_KEYS } from './model-connections.js';

/** A way to the upstream. */
export interface ModelTarget extends LoadTarget {
  readonly name: string;
  stop(): Promise<void>;
}

const CHAT = '/v1/chat/completions';
const KEY = { authorization: `Bearer ${UPSTREAM_KEYS.openaiKey}` };
const portOf = (url: string): number => Number(new URL(url).port);

export function direct(upstream: string): ModelTarget {
  return { name: 'direct', port: portOf(upstream), path: CHAT, headers: KEY, stop: async () => undefined };
}

/**
 * A proxy of the parts that hoop is made of, without hoop: what the way costs.
 *
 * @param records also keeps what the recordings hold at least, and nothing else
 */
export async function bareProxy(upstream: string, { records }: { readonly records: boolean }): Promise<ModelTarget> {
  const program = fileURLToPath(new URL('bare-proxy.mjs', import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'hoop-bench-'));
  const child = guard([process.execPath, program, upstream, KEY.authorization, ...(records ? [folder] : [])], {
    folder,
  });
  await child.outputMatching(/port \d+\n/);
  const port = Number(/port (\d+)\n/.exec(child.output())?.[1]);
  const name = records ? 'bare proxy that records' : 'bare proxy';
  return { name, port, path: CHAT, headers: {}, stop: () => child.stop() };
}

const PORTKEY = { '@portkey-ai/gateway': '1.15.2' };
/** The version that the gateway asks for has no release any more. */
const PORTKEY_OVERRIDES = { '@hono/node-server': '1.13.8' };

/** Portkey's gateway as it comes from npm, kept in `cache` from run to run; one process. */
export async function portkey(upstream: string, cache: string): Promise<ModelTarget | Missing> {
  const name = 'Portkey';
  const folder = join(cache, 'portkey');
  const program = join(folder, 'node_modules/@portkey-ai/gateway/build/start-server.js');
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true });
    const manifest = { private: true, dependencies: PORTKEY, overrides: PORTKEY_OVERRIDES };
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
    try {
      execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'pipe' });
    } catch {
      return { name, missing: '@portkey-ai/gateway could not be installed from npm' };
    }
  }
  const port = await freePort();
  const child = guard([process.execPath, program, '--headless', `--port=${String(port)}`], {
    env: { NODE_ENV: 'production' },
  });
  await child.outputMatching(/Ready for connections/);
  const headers = { ...KEY, 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${upstream}/v1` };
  return { name, port, path: CHAT, headers, stop: () => child.stop() };
}

/** nginx as a reverse proxy that puts the key in, with one worker. */
export async function nginx(upstream: string): Promise<ModelTarget | Missing> {
  const name = 'nginx';
  const program = ['/usr/sbin/nginx', '/usr/local/sbin/nginx'].find((path) => existsSync(path));
  if (program === undefined) return { name, missing: 'nginx is not installed; --install does it by apt-get, as root' };
  const folder = mkdtempSync(join(tmpdir(), 'hoop-bench-'));
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr warn;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  upstream model { server ${new URL(upstream).host}; keepalive 128; keepalive_requests 1000000000; }
  keepalive_requests 1000000000;
  server {
    listen 127.0.0.1:${String(port)};
    location / {
      proxy_pass http://model;
      proxy_http_version 1.1;
      proxy_buffering off;
      proxy_set_header Connection "";
      proxy_set_header Authorization "${KEY.authorization}";
    }
  }
}
`,
    { mode: 0o600 },
  );
  const child = guard([program, '-c', file, '-p', folder], { folder, signal: 'QUIT' });
  const started = Date.now();
  const url = `http://127.0.0.1:${String(port)}/`;
  const isUp = (): Promise<boolean> =>
    fetch(url).then(
      () => true,
      () => false,
    );
  while (!(await isUp())) if (Date.now() - started > 10_000) throw new Error(`nginx did not start: ${child.output()}`);
  return { name, port, path: CHAT, headers: {}, stop: () => child.stop() };
}
