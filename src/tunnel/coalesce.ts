/** Payloads up to this size are copied behind their header, so that a turn's frames leave as one message. */
const COALESCE_BYTES = 16 * 1024;

/** Joins small neighbours into one message; large payloads go as they are. */
export function coalesce(parts: readonly Uint8Array[]): Uint8Array[] {
  if (parts.length === 1) return [parts[0] as Uint8Array];
  const messages: Uint8Array[] = [];
  let run: Uint8Array[] = [];
  let runBytes = 0;
  const endRun = (): void => {
    if (run.length === 0) return;
    if (run.length === 1) messages.push(run[0] as Uint8Array);
    else {
      const joined = new Uint8Array(runBytes);
      let at = 0;
      for (const part of run) {
        joined.set(part, at);
        at += part.length;
      }
      messages.push(joined);
    }
    run = [];
    runBytes = 0;
  };
  for (const part of parts) {
    if (part.length > COALESCE_BYTES) {
      endRun();
      messages.push(part);
    } else {
      run.push(part);
      runBytes += part.length;
      if (runBytes > 4 * COALESCE_BYTES) endRun();
    }
  }
  endRun();
  return messages;
}
