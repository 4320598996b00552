import type { SqlFacts } from '../../policy/types.js';
import type { AuthenticationCrypto } from './authentication.js';
import type { CopyFormat } from './copy-masker.js';
import type { SessionMasks } from './masks.js';
import type { CancelKey, StartupMessage } from './startup.js';

/** How a session reads SQL; the real grammar stands behind it. */
export interface SqlReader {
  /** Never throws; text that can't be read is opaque. */
  analyze(text: string): SqlFacts;
  /** The facts of several texts of which any may run. */
  merge(facts: readonly SqlFacts[]): SqlFacts;
  /** A setting given at start-up, as the SET it amounts to. */
  setting(name: string, value: string): SqlFacts;
  functionCall(): SqlFacts;
  /** `PREPARE name AS …` in the text: each name and the facts of what it holds. */
  preparedIn(text: string): readonly { readonly name: string; readonly facts: SqlFacts }[];
  /** Names that the text EXECUTEs. */
  executedIn(text: string): readonly string[];
  /** How the COPY … TO STDOUT in the text writes its rows; undefined when there is none or it can't be told. */
  copyFormat(text: string): CopyFormat | undefined;
}

export interface PostgresSessionOptions {
  readonly startup: StartupMessage;
  readonly database: string;
  readonly credential: { readonly user: string; readonly password: string | undefined };
  /** The key this session gives its client; the server's own stays here. */
  readonly cancelKey: CancelKey;
  readonly crypto: AuthenticationCrypto;
  readonly limits: { readonly statementBytes: number; readonly rowBytes: number };
  readonly sql: SqlReader;
  /** Is there a rule that reads statements? Where none does, statements need not be readable. */
  readsSql(): boolean;
  masks(): SessionMasks;
  /** Monotonic milliseconds. */
  nowMs(): number;
}
