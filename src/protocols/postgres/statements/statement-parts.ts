import type { ExpectedReplies } from '../results/expected-replies.js';
import type { PreparedStatements } from './prepared.js';
import type { SqlPrepared } from './sql-prepared.js';
import type { StatementDesk } from './statement-desk.js';
import type { StatementReader } from './statement-reader.js';

/** What whoever handles messages of the extended protocol works with. */
export abstract class StatementParts {
  constructor(
    protected readonly desk: StatementDesk,
    protected readonly expected: ExpectedReplies,
    protected readonly prepared: PreparedStatements,
    protected readonly sqlPrepared: SqlPrepared,
    protected readonly reader: StatementReader,
  ) {}
}
