import type { Socket } from 'node:net';
import { hostname } from 'node:os';
import { toJsonLine } from '../../core/display.js';
import type { SinkResource } from '../../core/resources.js';
import type { SinkEvent } from '../../core/sink-event.js';
import { openWire } from '../../network/open-wire.js';
import type { Delivery } from '../delivery.js';

const TIMEOUT_MS = 10_000;
/** RFC 5424 section 6.2.1: log audit. */
const FACILITY_LOG_AUDIT = 13;
/** Of OCSF's severities, RFC 5424's: informational, notice, warning, error. */
const SEVERITY = { 1: 6, 2: 5, 3: 4, 4: 3 } as const;

/**
 * RFC 5424 over TLS, by RFC 5425: each message with its length in octets before it. The protocol has no answers: what the
 * kernel took and the receiver never read is lost, also without a fault. One connection, made anew after it broke.
 */
export function syslogDelivery(sink: Extract<SinkResource, { type: 'syslog' }>): Delivery {
  const host = sink.host.includes(':') ? `[${sink.host}]` : sink.host;
  const target = new URL(`https://${host}:${String(sink.port)}`);
  let wire: Socket | undefined;
  const connected = async (): Promise<Socket> => {
    // `writable` alone is true until the kernel says that the other end has gone.
    if (wire !== undefined && wire.writable && !wire.readableEnded) return wire;
    wire?.destroy();
    const opened = await openWire(target, { caFile: sink.ca, timeoutMs: TIMEOUT_MS });
    opened.on('error', () => opened.destroy());
    // Nothing is expected; reading is how the end is seen.
    opened.resume();
    opened.unref();
    wire = opened;
    return opened;
  };
  return {
    batch: 100,
    send: async (events, signal) => {
      const frames = events.map((event) => frame(syslogMessage(event)));
      await written(await connected(), Buffer.concat(frames), signal);
    },
    close: () =>
      new Promise((resolve) => {
        if (wire === undefined || wire.destroyed) {
          resolve();
          return;
        }
        wire.once('close', () => resolve());
        wire.setTimeout(1_000, () => wire?.destroy());
        wire.end();
      }),
  };
}

function written(wire: Socket, bytes: Buffer, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (): void => {
      wire.destroy();
      done(new Error('the connection ended while it was written to'));
    };
    const done = (error?: Error | null): void => {
      clearTimeout(deadline);
      wire.off('close', fail);
      signal.removeEventListener('abort', fail);
      if (error === undefined || error === null) resolve();
      else reject(error);
    };
    const deadline = setTimeout(fail, TIMEOUT_MS);
    wire.once('close', fail);
    signal.addEventListener('abort', fail, { once: true });
    wire.write(bytes, done);
  });
}

/**
 * The event as JSON, in UTF-8 and marked as such.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5424#section-6
 */
export function syslogMessage(event: SinkEvent): string {
  const priority = FACILITY_LOG_AUDIT * 8 + SEVERITY[event.severity_id];
  const at = new Date(event.time).toISOString();
  const host = hostname()
    .replace(/[^!-~]/g, '')
    .slice(0, 255);
  return `<${String(priority)}>1 ${at} ${host === '' ? '-' : host} hoop ${String(process.pid)} ${event.type} - \ufeff${toJsonLine(event)}`;
}

function frame(message: string): Buffer {
  const bytes = Buffer.from(message, 'utf8');
  return Buffer.concat([Buffer.from(`${String(bytes.length)} `, 'ascii'), bytes]);
}
