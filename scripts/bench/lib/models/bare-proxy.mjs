// A proxy of node:http and undici that reads, decides and masks nothing: what the way alone costs.
//
//   node bare-proxy.mjs UPSTREAM_URL AUTHORIZATION [RECORDINGS]     prints `port N`
//
// With a folder it also keeps of each request what hoop's recordings hold at least: a file of its own with seven chained
// lines, the first three in the kernel before the request goes on, the last signed.
import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { Pool } from 'undici';

const [upstream, authorization, folder] = process.argv.slice(2);
const pool = new Pool(upstream, { connections: null });
const { privateKey } = generateKeyPairSync('ed25519');

class Recording {
  #file = openSync(join(folder, `${randomUUID()}.ndjson`), 'wx', 0o600);
  #seq = 0;
  #prev = '0'.repeat(64);

  write(events) {
    let text = '';
    for (const event of events) {
      const linked = { at: new Date().toISOString(), ...event, prev: this.#prev, seq: (this.#seq += 1) };
      this.#prev = createHash('sha256').update(JSON.stringify(linked)).digest('hex');
      text += `${JSON.stringify({ ...linked, hash: this.#prev })}\n`;
    }
    writeSync(this.#file, text);
  }

  seal(events) {
    this.write(events);
    this.write([{ type: 'seal', signature: sign(null, Buffer.from(this.#prev), privateKey).toString('base64') }]);
    closeSync(this.#file);
  }
}

function answer(response, recording) {
  const kept = [];
  return {
    onConnect() {},
    onHeaders(status, headers, resume) {
      const names = headers.map(String);
      response.writeHead(
        status,
        names.filter((_, at) => !/^(?:connection|keep-alive|transfer-encoding)$/i.test(names[at - (at % 2)])),
      );
      response.on('drain', resume);
      return true;
    },
    onData(chunk) {
      if (recording !== undefined) kept.push(chunk);
      return response.write(chunk);
    },
    onComplete() {
      response.end();
      recording?.seal([
        { type: 'result', bytes: 0 },
        { type: 'output', body: Buffer.concat(kept).toString() },
        { type: 'session.end' },
      ]);
    },
    onError() {
      response.destroy();
    },
  };
}

const server = createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const body = Buffer.concat(parts);
    const recording = folder === undefined ? undefined : new Recording();
    recording?.write([
      { type: 'session.start' },
      { type: 'request', body: body.toString() },
      { type: 'decision', action: 'allow' },
    ]);
    const headers = ['authorization', authorization, 'content-type', 'application/json'];
    pool.dispatch({ path: request.url, method: request.method, headers, body }, answer(response, recording));
  });
});
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
