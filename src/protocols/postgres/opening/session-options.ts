import type { SqlFacts } from '../../../policy/types.js';
import type { AuthenticationCrypto } from './authentication.js';
import type { CopyFormat } from '../copy/copy-format.js';
import type { SettingChange } from '../facts/findings.js';
import type { Outline } from '../facts/outline.js';
import type { SessionMasks } from '../masks.js';
import type { ResultBounds } from '../results/result-record.js';
import type { CancelKey, StartupMessage } from './startup.js';

/** What one text tells: its facts, and what it does to prepared statements. */
export interface SqlReading {
  readonly facts: SqlFacts;
  /** `PREPARE name AS …`: each name and the facts of what it holds. */
  readonly prepared: readonly { readonly name: string; readonly facts: SqlFacts }[];
  /** Names that the text EXECUTEs without having prepared them. */
  readonly executes: readonly string[];
  /** Names that it DEALLOCATEs; `*` for all. */
  readonly deallocates: readonly string[];
  /** Settings that it changes. */
  readonly settings: readonly SettingChange[];
  /** Of a text that was studied: its tree without what repeats. */
  readonly outline?: Outline;
}

/** How a session reads SQL; the real grammar stands behind it. */
export interface SqlReader {
  /** Never throws; text that can't be read is opaque. What an EXECUTE in it runs is not in its facts. */
  read(text: string): SqlReading;
  /** Would reading it hold others up? Then it is to be studied first, beside the program. */
  needsStudy(text: string): boolean;
  /** `facts` with all that `more` does added. */
  merge(facts: SqlFacts, more: SqlFacts): SqlFacts;
  /** A setting given at start-up, as the SET it amounts to. */
  setting(name: string, value: string): SqlFacts;
  /** @param oid of the function: all that the wire tells */
  functionCall(oid: number): SqlFacts;
  /** The same text for texts that mean the same to the grammar: what an approval is bound to. */
  normalForm(text: string): string;
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
  /** Must policy know what is bound to them? Where it needn't, bound values only pass. */
  readsParams(): boolean;
  masks(): SessionMasks;
  /** The server is ready and no transaction is open: whatever was changed before can be seen. */
  idle?(): void;
  /** How much of a result is recorded. */
  readonly bounds: ResultBounds;
  /** Monotonic milliseconds. */
  nowMs(): number;
}
