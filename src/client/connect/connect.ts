import type { RequestView } from '../../core/approval.js';
import { HoopError } from '../../core/errors.js';
import { runChild } from '../child/child.js';
import { childEnvironment, withoutProxy } from '../child/child-environment.js';
import type { ConnectReport } from './connect-report.js';
import { durationFlag } from '../duration-flag.js';
import { type Environment, exportLines } from '../child/environment.js';
import { type Access, type Listen, type OpenConnections, openConnections } from './open-connections.js';
import { obtainAccess, type ObtainOptions } from './obtain-access.js';
import type { ConnectionEvent } from '../tunnels/tunnel-keeper.js';
import type { PortMemory } from '../ports/local-listener.js';

/** The arguments before and after a lone `--`; `command` undefined where there is none. */
export function splitCommand(argv: readonly string[]): {
  readonly own: string[];
  readonly command: readonly string[] | undefined;
} {
  const at = argv.indexOf('--');
  if (at === -1) return { own: [...argv], command: undefined };
  const command = argv.slice(at + 1);
  if (command.length === 0)
    throw new HoopError('usage', 'no command after `--`', { suggestion: 'name the program to run, e.g. `-- psql`' });
  return { own: argv.slice(0, at), command };
}

/** @throws HoopError usage where two of them want stdout */
export function refuseSharedStdout(given: {
  readonly json: boolean;
  readonly command: readonly string[] | undefined;
  readonly printEnv: boolean;
}): void {
  if (!given.json || (given.command === undefined && !given.printEnv)) return;
  throw new HoopError('usage', '--json, --print-env and a command of your own all want stdout', {
    suggestion: 'with --json, the variables are in `env` of the first lines',
  });
}

/** @throws HoopError usage for flags that exclude each other, or that take one connection */
export function listenFrom(
  flags: {
    readonly host: string;
    readonly port?: number | undefined;
    readonly socket?: string | undefined;
    readonly tls?: boolean;
  },
  connections: number,
  profile: PortMemory & { login(): { readonly folder: string } },
): Listen {
  if (flags.port !== undefined && flags.socket !== undefined)
    throw new HoopError('usage', '--port and --socket exclude each other');
  if (flags.tls === true && flags.socket !== undefined) {
    throw new HoopError('usage', '--tls and --socket exclude each other', {
      why: 'Postgres clients never ask for TLS on a socket file',
    });
  }
  if (connections > 1 && (flags.port !== undefined || flags.socket !== undefined)) {
    throw new HoopError('usage', '--port and --socket take one connection', {
      suggestion: 'leave them out, or open the connections one by one',
    });
  }
  if (flags.socket !== undefined) return { kind: 'socket', path: flags.socket };
  const shared = { host: flags.host, ...(flags.tls === true ? { tlsFolder: profile.login().folder } : {}) };
  if (flags.port !== undefined) return { kind: 'port', port: flags.port, ...shared };
  return { kind: 'remembered', ports: profile, ...shared };
}

/** Access that is asked for before the ports are opened. */
export interface AccessAsk {
  readonly api: ObtainOptions['api'];
  /** `2h` */
  readonly duration: string;
  readonly wait: boolean;
  /** Takes each request that is left for later. */
  readonly asked: (request: RequestView) => void;
}

export interface ConnectOptions {
  readonly access: Access;
  readonly ask?: AccessAsk | undefined;
  readonly connections: readonly string[];
  readonly listen: Listen;
  /** A password or key is needed, and enough whatever the operating-system user. */
  readonly password?: boolean;
  readonly report: ConnectReport;
  /** Prints `export` lines once the ports are open. */
  readonly printEnv?: ((lines: string) => void) | undefined;
  /** Runs this, and ends with it. */
  readonly command?: readonly string[] | undefined;
  readonly complain: (lines: string) => void;
  /** Resolves when something else than a signal asks to end: a key of a screen. */
  readonly stop?: Promise<void> | undefined;
}

/**
 * Opens the ports and keeps them until Ctrl-C (SIGINT, SIGTERM, SIGHUP) or the command's end.
 *
 * @returns the exit status: 0, or the command's own
 */
export async function connect(options: ConnectOptions): Promise<number> {
  const { command, report } = options;
  const status = await ask(options);
  if (status !== undefined) return status;
  // Of a program that we run, the secret is known to it alone.
  const rule = options.password === true ? 'secret' : command === undefined ? 'user' : 'both';
  const onEvent = (event: ConnectionEvent): void => {
    report.event(event);
  };
  const open = await openConnections(options.access, options.connections, options.listen, onEvent, rule);
  try {
    const stopped = command === undefined ? stopSignal() : undefined;
    report.listening(open.places, () => open.traffic());
    options.printEnv?.(
      exportLines({ ...withoutProxy(process.env, open.places), ...correlation(options.access), ...open.environment }),
    );
    if (command !== undefined) {
      void open.loggedOut.then(() => {
        options.complain(`${LOGGED_OUT}: the ports are closed`);
      });
      return await runWith(command, options.access, open, options.complain);
    }
    const loggedOut = open.loggedOut.then(() => {
      throw new HoopError('not_logged_in', LOGGED_OUT, { why: 'the ports are closed' });
    });
    await Promise.race([stopped, loggedOut, ...(options.stop === undefined ? [] : [options.stop])]);
    return 0;
  } finally {
    await open.close();
  }
}

const LOGGED_OUT = 'the login has ended that the ports were opened with';
/** 128 and the number of SIGINT. */
const INTERRUPTED = 130;

/** @returns the exit status where no port is to be opened: none, where the requests are left for later */
async function ask(options: ConnectOptions): Promise<number | undefined> {
  if (options.ask === undefined) return undefined;
  const { api, duration, wait, asked } = options.ask;
  // Refused here as well where nothing has to be asked for, and the agent never reads it.
  durationFlag('duration', duration);
  const { connections, access, report } = options;
  const onEvent = (event: ConnectionEvent): void => {
    report.event(event);
  };
  const obtained = await obtainAccess({ api, connections, duration, reason: access.reason, wait, onEvent });
  if (obtained.kind !== 'asked') return obtained.kind === 'ready' ? undefined : INTERRUPTED;
  for (const request of obtained.requests) asked(request);
  return 0;
}

/** Runs a program with the connections' environment; gives its exit status. */
export function runWith(
  command: readonly string[],
  access: Access,
  open: Pick<OpenConnections, 'places' | 'environment'>,
  complain: (lines: string) => void,
): Promise<number> {
  const [program = '', ...args] = command;
  const onTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  const env = childEnvironment(process.env, open.places, { ...correlation(access), ...open.environment });
  return runChild({ command: program, args, env, onTerminal, complain });
}

/** A hoop that the program runs belongs to the same chain. */
function correlation({ correlationId }: Access): Environment {
  return correlationId === undefined ? {} : { HOOP_CORRELATION_ID: correlationId };
}

/** Resolves at the first signal that asks to end; a second one ends at once, as without us. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => {
        resolve();
      });
    }
  });
}
