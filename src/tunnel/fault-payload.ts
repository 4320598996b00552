import { ERRORS, type ErrorCode, type Fault } from '../core/errors.js';

/** A reset's payload: a fault as JSON, or nothing for an end without one. */
export function encodeFault(fault: Fault | undefined): string {
  return fault === undefined ? '' : JSON.stringify(fault);
}

export function parseFault(payload: Uint8Array): Fault | undefined {
  if (payload.length === 0) return undefined;
  try {
    const fault = JSON.parse(new TextDecoder().decode(payload)) as { code?: unknown; message?: unknown };
    const code =
      typeof fault.code === 'string' && Object.hasOwn(ERRORS, fault.code) ? (fault.code as ErrorCode) : 'failed';
    return { code, message: typeof fault.message === 'string' ? fault.message : 'the other side ended the stream' };
  } catch {
    return { code: 'protocol', message: 'the other side ended the stream without a readable reason' };
  }
}
