import { type Fault, HoopError, messageOf } from '../../../core/errors.js';
import { errorMessage } from '../../../protocols/postgres/wire/messages.js';
import { SQLSTATE } from '../../../protocols/postgres/refusal.js';
import { StartupReader } from '../../../protocols/postgres/opening/startup.js';
import type { TunnelStream } from '../../../tunnel/stream.js';
import type { PostgresCaller, SessionHost } from '../../sessions/session-host.js';
import { PostgresFront, type SharedByPostgres } from './front.js';

/** A client that has not said what it wants by then is cut: it may be no client at all. */
const STARTUP_TIMEOUT_MS = 15_000;

/**
 * Takes one stream of a tunnel to a Postgres connection: a session, or a cancel request.
 *
 * @param from.current the caller as the configuration has them when the session begins; throws where they have no access
 */
export function acceptPostgres(
  stream: TunnelStream,
  { caller, current }: { readonly caller: PostgresCaller; readonly current: () => PostgresCaller },
  host: SessionHost,
  shared: SharedByPostgres,
): void {
  const reader = new StartupReader();
  let started = false;
  const timer = setTimeout(() => {
    stream.destroy({ code: 'protocol', message: 'no start-up packet in time' });
  }, STARTUP_TIMEOUT_MS);
  stream.onClose(() => {
    clearTimeout(timer);
  });
  stream.onData((bytes) => {
    if (started) return;
    reader.push(bytes);
    for (;;) {
      const step = reader.next();
      if (step.kind === 'more') return;
      if (step.kind === 'reply') {
        stream.write(step.bytes);
        continue;
      }
      started = true;
      clearTimeout(timer);
      if (step.kind === 'cancel') {
        // The end tells the client that its cancel is done: what it sends next must not be hit by it.
        void shared.cancels.cancel(step.key, caller.identity).then(() => {
          stream.end();
        });
      } else if (step.kind === 'fault') {
        refuse(stream, SQLSTATE.protocolViolation, step.fault.message);
      } else {
        // What comes until the session stands is held by the stream's own window.
        stream.pause();
        const begin = async (): Promise<void> =>
          new PostgresFront(stream, current(), host, shared).start(step.message, step.rest);
        begin().catch((error: unknown) => {
          host.log(`session not started: ${messageOf(error)}`, { connection: caller.connection.name });
          refuse(stream, ...refusalOf(error));
        });
      }
      return;
    }
  });
}

/**
 * Takes one stream of a tunnel that takes nothing new: a cancel request of what runs here. Anything else is given back at
 * once, with nothing answered, so that the CLI can begin it on another tunnel.
 *
 * @param why tells the CLI
 */
export function acceptCancel(
  stream: TunnelStream,
  caller: PostgresCaller,
  { cancels }: Pick<SharedByPostgres, 'cancels'>,
  why: Fault,
): void {
  const reader = new StartupReader();
  let done = false;
  const timer = setTimeout(() => {
    stream.destroy(why);
  }, STARTUP_TIMEOUT_MS);
  stream.onClose(() => {
    clearTimeout(timer);
  });
  stream.onData((bytes) => {
    if (done) return;
    reader.push(bytes);
    const step = reader.next();
    if (step.kind === 'more') return;
    done = true;
    if (step.kind !== 'cancel') stream.destroy(why);
    else
      void cancels.cancel(step.key, caller.identity).then(() => {
        stream.end();
      });
  });
}

function refuse(stream: TunnelStream, code: string, message: string): void {
  stream.write(errorMessage({ severity: 'FATAL', code, message: `hoop: ${message}` }));
  stream.end();
  stream.resume();
}

function refusalOf(error: unknown): [code: string, message: string] {
  if (!(error instanceof HoopError)) return ['XX000', 'internal error; the session was not started'];
  const codes: Partial<Record<string, string>> = {
    recording_failed: SQLSTATE.ioError,
    limit: '53300',
    no_access: SQLSTATE.insufficientPrivilege,
    access_needed: SQLSTATE.insufficientPrivilege,
    not_found: SQLSTATE.invalidCatalogName,
    config_invalid: SQLSTATE.configFileError,
  };
  const why =
    error.code === 'access_needed' ? `; ${error.suggestion}` : error.why === undefined ? '' : ` (${error.why})`;
  return [codes[error.code] ?? SQLSTATE.connectionFailure, `${error.message}${why}`];
}
