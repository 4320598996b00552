import type { Header } from '../../../../protocols/http/dialect.js';

/** How an answer begins. */
export interface AnswerBeginning {
  /** The head goes out before there is a body. */
  readonly atOnce: boolean;
  /** The words behind the status; empty: those that are usual. */
  readonly reason: string;
}

/** The client's side of an answer. */
export interface AnswerOut {
  begin(status: number, headers: readonly Header[], options: AnswerBeginning): void;
  /** False asks for a pause until `onDrain`. */
  write(bytes: Uint8Array): boolean;
  end(): void;
  onDrain(listener: () => void): void;
}
