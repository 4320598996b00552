import type { SinkResource } from '../../core/resources.js';
import type { SinkEvent } from '../../core/sink-event.js';
import type { Delivery, DeliveryHost } from '../delivery.js';
import { postJson, revealHeaders } from '../post-json.js';

/** Of OCSF's severities, those of the log data model: INFO, INFO2, WARN, ERROR. */
const SEVERITY = { 1: 9, 2: 10, 3: 13, 4: 17 } as const;

/**
 * Logs by OTLP over HTTP in JSON; `/v1/logs` is put behind an address that does not end in it.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
export function otlpDelivery(sink: Extract<SinkResource, { type: 'otlp' }>, host: DeliveryHost): Delivery {
  const url = logsUrl(sink.url);
  return {
    batch: 100,
    send: async (events, signal) => {
      const headers = await revealHeaders(sink.headers, host);
      const body = JSON.stringify(otlpLogs(events, host.nowMs()));
      const refused = rejected(await postJson({ url, ca: sink.ca, headers, body, signal }));
      // By the protocol what is rejected in part must not be sent again.
      if (refused !== '0') host.warn(`sink ${sink.name}: the collector took the logs without ${refused} of them`);
    },
    close: () => Promise.resolve(),
  };
}

function logsUrl(text: string): string {
  const url = new URL(text);
  if (!url.pathname.endsWith('/v1/logs')) url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/logs`;
  return url.href;
}

function rejected(answer: string): string {
  try {
    const { partialSuccess } = JSON.parse(answer) as { partialSuccess?: { rejectedLogRecords?: unknown } };
    const count = Number(partialSuccess?.rejectedLogRecords ?? 0);
    return Number.isSafeInteger(count) ? String(count) : '0';
  } catch {
    return '0';
  }
}

/** @see https://opentelemetry.io/docs/specs/otel/logs/data-model/ */
export function otlpLogs(events: readonly SinkEvent[], nowMs: number): Readonly<Record<string, unknown>> {
  const version = events[0]?.metadata.product.version ?? '';
  return {
    resourceLogs: [
      {
        resource: { attributes: [attribute('service.name', 'hoop'), attribute('service.version', version)] },
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

function nanos(ms: number): string {
  return (BigInt(Math.round(ms)) * 1_000_000n).toString();
}

function attribute(key: string, value: unknown): Readonly<Record<string, unknown>> {
  return { key, value: anyValue(value) };
}

/** `AnyValue` of the protocol, in the JSON form of protobuf: 64-bit integers are texts. */
function anyValue(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  if (typeof value === 'object' && value !== null)
    return { kvlistValue: { values: Object.entries(value).map(([key, inner]) => attribute(key, inner)) } };
  return {};
}
