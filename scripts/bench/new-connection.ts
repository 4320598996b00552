// What a new connection costs over a live tunnel: from connecting to ReadyForQuery, then goodbye. Ways go in turn,
// connection by connection, so that a busy machine is busy for all of them. CPU time tells more than the clock.
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:net';
import { parseArgs } from 'node:util';
import { authenticationCrypto } from '../../src/agent/fronts/postgres/authentication-crypto.js';
import { FrameParser, SERVER } from '../../src/protocols/postgres/wire/frames.js';
import { startupPacket, terminateMessage } from '../../src/protocols/postgres/wire/messages.js';
import { UpstreamAuthentication } from '../../src/protocols/postgres/opening/authentication.js';
import { startPostgres } from '../../test/support/postgres-server.js';
import { hoop } from './lib/hoop.js';
import { startIssuer } from './lib/issuer.js';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '300' },
    'no-policy': { type: 'boolean', default: false },
    /** Writes V8 profiles of the agent into this folder. */
    profile: { type: 'string', default: '' },
  },
});

interface Way {
  readonly name: string;
  readonly port: number;
  readonly password: string;
  readonly millis: number[];
}

const server = await startPostgres({ settings: { jit: 'off' } });
const issuer = await startIssuer();
await server.createDatabase('bench', 'CREATE TABLE people (id int, email text)');
const target = await hoop({
  name: 'hoop',
  policies: values['no-policy'] ? [] : ['standard-sql.yaml', 'standard-masking.yaml'],
  issuer,
  server,
  database: 'bench',
  node: values.profile === '' ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`],
});

/** The client keeps the derived key of its password, as the agent does: the difference is then hoop's alone. */
async function openAndClose(way: Way): Promise<void> {
  const started = performance.now();
  const socket = connect({ host: '127.0.0.1', port: way.port, noDelay: true });
  await once(socket, 'connect');
  const parser = new FrameParser({ maxFrameBytes: () => 1 << 20 });
  const credential = { user: server.app.username, password: way.password };
  const authentication = new UpstreamAuthentication(credential, authenticationCrypto);
  const ready = new Promise<void>((resolve, reject) => {
    socket.once('close', () => {
      reject(new Error(`${way.name} hung up`));
    });
    socket.on('data', (bytes: Buffer) => {
      parser.push(bytes);
      for (let frame = parser.next(); frame !== undefined; frame = parser.next()) {
        if ('code' in frame) reject(new Error(frame.message));
        else if (frame.type === SERVER.error) reject(new Error(Buffer.from(frame.bytes).toString('latin1')));
        else if (frame.type === SERVER.readyForQuery) resolve();
        else if (frame.type === SERVER.authentication) {
          const step = authentication.receive(frame.bytes);
          if (step.kind === 'send') socket.write(step.bytes);
          if (step.kind === 'fault') reject(new Error(step.fault.message));
        }
      }
    });
  });
  socket.write(
    startupPacket([
      ['user', credential.user],
      ['database', 'bench'],
      ['application_name', 'new-connection'],
      ['client_encoding', 'UTF8'],
    ]),
  );
  await ready;
  way.millis.push(performance.now() - started);
  socket.removeAllListeners('close');
  socket.end(terminateMessage());
  await once(socket, 'close');
}

/** Processor time so far, in ms; the kernel counts in hundredths of a second. */
function cpuMs(pid: number | undefined): number {
  const fields =
    readFileSync(`/proc/${String(pid)}/stat`, 'latin1')
      .split(') ')[1]
      ?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

const quantile = (numbers: readonly number[], part: number): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length * part)] ?? NaN;

try {
  const ways: Way[] = [
    { name: 'direct', port: server.port, password: server.app.password, millis: [] },
    { name: 'hoop', port: target.port, password: '', millis: [] },
  ];
  const count = Number(values.connections);
  const round = async (): Promise<void> => {
    for (const way of ways) await openAndClose(way);
  };
  for (let warm = 0; warm < 300; warm += 1) await round();
  for (const way of ways) way.millis.length = 0;
  const pids = { agent: target.agentPid, connect: target.connectPid };
  const before = { agent: cpuMs(pids.agent), connect: cpuMs(pids.connect) };
  for (let index = 0; index < count; index += 1) await round();
  const used = { agent: cpuMs(pids.agent) - before.agent, connect: cpuMs(pids.connect) - before.connect };
  const [base] = ways;
  for (const way of ways) {
    const [p10, p50, p90] = [0.1, 0.5, 0.9].map((part) => quantile(way.millis, part));
    const over = way === base ? '' : `, over direct: p50 +${(p50! - quantile(base!.millis, 0.5)).toFixed(2)} ms`;
    console.log(`${way.name}: p10 ${p10!.toFixed(2)} ms, p50 ${p50!.toFixed(2)} ms, p90 ${p90!.toFixed(2)} ms${over}`);
  }
  for (const [name, ms] of Object.entries(used))
    console.log(`processor time a connection: ${name} ${((ms * 1000) / count).toFixed(0)} µs`);
} finally {
  await target.stop();
  await issuer.stop();
  await server.stop();
}
