import type { StreamCounts } from './stream.js';

/** What the CLI sends to go on with a stream that held. */
export interface ResumeRequest extends StreamCounts {
  readonly token: string;
}

/** Undefined for anything else than counts. */
export function parseCounts(payload: Uint8Array): StreamCounts | undefined {
  const { received, credited, ended } = parseObject(payload);
  if (!isCount(received) || !isCount(credited) || typeof ended !== 'boolean') return undefined;
  return { received, credited, ended };
}

/** Undefined for anything else than a request. */
export function parseResumeRequest(payload: Uint8Array): ResumeRequest | undefined {
  const counts = parseCounts(payload);
  const { token } = parseObject(payload);
  return counts === undefined || typeof token !== 'string' ? undefined : { ...counts, token };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function parseObject(payload: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(payload));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
