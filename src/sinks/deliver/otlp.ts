import type { SinkResource } from '../../core/resources.js';
import type { SinkEvent } from '../../core/sink-event.js';
import type { Delivery, DeliveryHost } from '../delivery.js';
import { agentResource, attribute, nanos, rejectedCount, signalUrl } from '../otlp-encoding.js';
import { postJson, revealHeaders } from '../post-json.js';

/** Of OCSF's severities, those of the log data model: INFO, INFO2, WARN, ERROR. */
const SEVERITY = { 1: 9, 2: 10, 3: 13, 4: 17 } as const;

/**
 * Logs by OTLP over HTTP in JSON; `/v1/logs` is put behind an address that does not end in it.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
export function otlpDelivery(sink: Extract<SinkResource, { type: 'otlp' }>, host: DeliveryHost): Delivery {
  const url = signalUrl(sink.url, 'logs');
  return {
    batch: 100,
    send: async (events, signal) => {
      const headers = await revealHeaders(sink.headers, host);
      const body = JSON.stringify(otlpLogs(events, host.nowMs()));
      const refused = rejectedCount(await postJson({ url, ca: sink.ca, headers, body, signal }), 'rejectedLogRecords');
      // By the protocol what is rejected in part must not be sent again.
      if (refused > 0) host.warn(`sink ${sink.name}: the collector took the logs without ${String(refused)} of them`);
    },
    close: () => Promise.resolve(),
  };
}

/** @see https://opentelemetry.io/docs/specs/otel/logs/data-model/ */
export function otlpLogs(events: readonly SinkEvent[], nowMs: number): Readonly<Record<string, unknown>> {
  const version = events[0]?.metadata.product.version ?? '';
  return {
    resourceLogs: [
      {
        resource: agentResource(version),
        scopeLogs: [
          { scope: { name: 'hoop.sinks', version }, logRecords: events.map((event) => record(event, nowMs)) },
        ],
      },
    ],
  };
}

function record(event: SinkEvent, nowMs: number): Readonly<Record<string, unknown>> {
  const { message, time, severity, severity_id: severityId, ...rest } = event;
  return {
    timeUnixNano: nanos(time),
    observedTimeUnixNano: nanos(nowMs),
    severityNumber: SEVERITY[severityId],
    severityText: severity,
    eventName: event.type,
    body: { stringValue: message },
    attributes: Object.entries(rest).map(([key, value]) => attribute(key, value)),
  };
}
