import { TraceExport, type TraceFigures } from '../../sinks/trace-export.js';
import type { Clock } from '../../core/clock.js';
import type { TracingSettings } from '../../core/resources.js';
import type { DeliveryHost } from '../../sinks/delivery.js';
import type { TraceContext } from '../../core/trace-context.js';
import { VERSION } from '../version.js';
import { SessionTrace, type TracedSession } from './session-trace.js';
import { Tracer } from './tracer.js';

/** What an agent that traces has for it. */
export interface Tracing {
  /** Undefined where nothing of this session is traced: then it costs nothing more. */
  session(traced: TracedSession): SessionTrace | undefined;
  /** A caller was let into a tunnel. @param fromMs monotonic milliseconds at which it came */
  tunnel(parent: TraceContext | undefined, fromMs: number): void;
  readonly figures: () => TraceFigures;
  /** Sends what waits, within `graceMs`. */
  close(graceMs: number): Promise<void>;
}

export interface TracingHost extends DeliveryHost {
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** Opens what the agent's resource says of tracing; undefined where it says nothing. */
export function openTracing(tracing: TracingSettings | undefined, host: TracingHost): Tracing | undefined {
  if (tracing === undefined) return undefined;
  const out = new TraceExport(tracing, VERSION, host);
  const tracer = new Tracer({
    clock: host.clock,
    monotonicMs: () => performance.now(),
    ratio: tracing.ratio,
    export: (span) => {
      out.push(span);
    },
  });
  return {
    session: (traced) => (tracer.wants(traced.parent) ? new SessionTrace(tracer, traced) : undefined),
    tunnel: (parent, fromMs) => {
      const context = tracer.begin(parent);
      if (context === undefined) return;
      tracer.end(context, parent, {
        name: 'hoop.tunnel',
        kind: 'server',
        fromMs,
        toMs: tracer.nowMs(),
        attributes: {},
      });
    },
    figures: () => out.figures,
    close: (graceMs) => out.close(graceMs),
  };
}
