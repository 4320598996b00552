import type { Connection, Submittable } from 'pg';
import { type CopyConnection, type CopyRows, sendRows } from './copy-in.js';
import type { Column, Row } from './result-writer.js';

/** What one statement's answer is handed to, in order. */
export interface AnswerHandler {
  columns(columns: readonly Column[]): void;
  row(values: Row): void;
  copyData(bytes: Uint8Array): void;
  /** The rows that `COPY … FROM STDIN` asks for. */
  copyRows(): CopyRows;
  /** The server's command tag, e.g. `UPDATE 3`. */
  complete(tag: string): void;
}

/**
 * One statement as a simple query, its answer passed on message by message and never kept. The
 * `pg` driver calls the `handle…` methods: it is the extension point that pg-cursor uses too.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SIMPLE-QUERY
 */
export class StatementRun implements Submittable {
  /** Settles when the server is ready for the next statement, or has refused this one. */
  readonly done: Promise<void>;
  #resolve!: () => void;
  #reject!: (error: unknown) => void;
  #handlerError: Error | undefined;
  #refused = false;

  constructor(
    private readonly text: string,
    private readonly handler: AnswerHandler,
  ) {
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  submit(connection: Connection): void {
    connection.query(this.text);
  }

  handleRowDescription(message: {
    readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[];
  }): void {
    this.#guard(() => {
      this.handler.columns(message.fields.map((field) => ({ name: field.name, typeOid: field.dataTypeID })));
    });
  }

  handleDataRow(message: { readonly fields: Row }): void {
    this.#guard(() => {
      this.handler.row(message.fields);
    });
  }

  handleCommandComplete(message: { readonly text: string }): void {
    this.#guard(() => {
      this.handler.complete(message.text);
    });
  }

  handleCopyData(message: { readonly chunk: Uint8Array }): void {
    this.#guard(() => {
      // A copy: the driver reads the next bytes into the same memory, and these may wait for a slow reader.
      this.handler.copyData(Uint8Array.from(message.chunk));
    });
  }

  handleCopyInResponse(connection: CopyConnection): void {
    void sendRows(connection, this.handler.copyRows(), () => this.#refused).then((error) => {
      this.#handlerError ??= error;
    });
  }

  handleEmptyQuery(): void {
    // Nothing to print.
  }

  handlePortalSuspended(): void {
    // Only where a row limit was asked for, which a simple query can't.
  }

  handleReadyForQuery(): void {
    if (this.#handlerError === undefined) this.#resolve();
    else this.#reject(this.#handlerError);
  }

  handleError(error: unknown): void {
    this.#refused = true;
    this.#reject(this.#handlerError ?? error);
  }

  /** An error of ours must not pass through the driver: it would leave it out of step. The first one counts. */
  #guard(handle: () => void): void {
    if (this.#handlerError !== undefined) return;
    try {
      handle();
    } catch (error) {
      this.#handlerError = error instanceof Error ? error : new Error(String(error));
    }
  }
}
