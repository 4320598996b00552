import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Connection } from 'pg';
import { messageOf } from '../../core/errors.js';

/** The `pg` driver's side of a COPY; its types leave these out. */
export interface CopyConnection extends Connection {
  readonly stream: Duplex;
  sendCopyFromChunk(chunk: Uint8Array): void;
  endCopyFrom(): void;
  sendCopyFail(reason: string): void;
}

/** Rows of a COPY FROM STDIN; text or bytes, cut anywhere. */
export type CopyRows = AsyncIterable<string | Uint8Array>;

/**
 * Sends the rows at the server's pace, and how they end.
 *
 * @param stopped true once the server has refused the COPY: what is still to come is not sent
 * @returns the error that reading the rows ended with, after the server was told
 */
export async function sendRows(
  connection: CopyConnection,
  rows: CopyRows,
  stopped: () => boolean,
): Promise<Error | undefined> {
  try {
    for await (const part of rows) {
      if (stopped()) return undefined;
      connection.sendCopyFromChunk(typeof part === 'string' ? Buffer.from(part) : part);
      if (connection.stream.writableNeedDrain) await drained(connection.stream);
    }
    if (!stopped()) connection.endCopyFrom();
    return undefined;
  } catch (error) {
    if (!stopped()) connection.sendCopyFail('the rows could not be read');
    return error instanceof Error ? error : new Error(messageOf(error));
  }
}

/** Also resolves where the connection ends: it never drains then. */
async function drained(stream: Duplex): Promise<void> {
  const over = new AbortController();
  await Promise.race([
    once(stream, 'drain', { signal: over.signal }),
    once(stream, 'close', { signal: over.signal }),
  ]).finally(() => {
    over.abort();
  });
}
