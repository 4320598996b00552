/**
 * What logs and traces have in common as OTLP over HTTP sends them: protobuf's JSON form, in which 64-bit integers are texts.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */

type Json = Readonly<Record<string, unknown>>;

/** The address of one signal: `/v1/logs` or `/v1/traces` is put behind one that does not end in it. */
export function signalUrl(text: string, signal: 'logs' | 'traces'): string {
  const url = new URL(text);
  const path = `/v1/${signal}`;
  if (!url.pathname.endsWith(path)) url.pathname = `${url.pathname.replace(/\/+$/, '')}${path}`;
  return url.href;
}

/** How many a collector did not take, by its answer; by the protocol they must not be sent again. */
export function rejectedCount(answer: string, member: 'rejectedLogRecords' | 'rejectedSpans'): number {
  try {
    const { partialSuccess } = JSON.parse(answer) as { partialSuccess?: Json };
    const count = Number(partialSuccess?.[member] ?? 0);
    return Number.isSafeInteger(count) ? count : 0;
  } catch {
    return 0;
  }
}

/** The agent, as whatever is told comes from it. */
export function agentResource(version: string): Json {
  return { attributes: [attribute('service.name', 'hoop'), attribute('service.version', version)] };
}

/** @param ms since the epoch; parts of a millisecond count */
export function nanos(ms: number): string {
  const whole = Math.floor(ms);
  return (BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1_000_000))).toString();
}

export function attribute(key: string, value: unknown): Json {
  return { key, value: anyValue(value) };
}

function anyValue(value: unknown): Json {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  if (typeof value === 'object' && value !== null)
    return { kvlistValue: { values: Object.entries(value).map(([key, inner]) => attribute(key, inner)) } };
  return {};
}
