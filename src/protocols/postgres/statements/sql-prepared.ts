import type { SqlFacts } from '../../../policy/types.js';
import type { Edit } from '../originals/rewrite-text.js';
import type { Candidate, PreparedStatements } from './prepared.js';
import type { Run } from './run.js';
import type { SqlReader } from '../opening/session-options.js';
import { unreadable } from './statement-text.js';

/** Follows what SQL itself does to prepared statements: PREPARE, EXECUTE, DEALLOCATE. */
export class SqlPrepared {
  constructor(
    private readonly sql: SqlReader,
    private readonly prepared: PreparedStatements,
  ) {}

  /** The text is about to run: what it PREPAREs may be held from now on. Without a PREPARE in it, it is not read again. */
  remember(text: string, { effects }: SqlFacts, edits?: readonly Edit[]): void {
    if (!effects.includes('prepare')) return;
    for (const { name, facts } of this.sql.read(text).prepared)
      this.prepared.propose(name, { text, facts, types: [], edits, bySql: true });
  }

  /** What is certainly held under a name. */
  certain(name: string): Candidate | undefined {
    const candidates = this.prepared.candidates(name) ?? [];
    return candidates.length === 1 ? candidates[0] : undefined;
  }

  /** `EXECUTE name` runs what was prepared under that name: its facts are added. */
  withExecuted(text: string, facts: SqlFacts): SqlFacts {
    if (!facts.effects.includes('execute')) return facts;
    let all = facts;
    for (const name of this.sql.read(text).executes) {
      const candidates = this.prepared.candidates(name) ?? [];
      if (candidates.length === 0)
        all = this.sql.merge(all, unreadable(text, 'EXECUTE of a statement that was not seen'));
      for (const candidate of candidates) all = this.sql.merge(all, candidate.facts);
    }
    return all;
  }

  /** Texts that an EXECUTE in this text may run; undefined where it has none. */
  executedTexts(text: string, facts: SqlFacts): readonly string[] | undefined {
    if (!facts.effects.includes('execute')) return undefined;
    const candidates = this.sql.read(text).executes.flatMap((name) => this.prepared.candidates(name) ?? []);
    return [...new Set(candidates.map((candidate) => candidate.text))];
  }

  /** A command of a simple query is done. */
  completed(run: Run, tag: string): void {
    if (tag !== 'PREPARE' && tag !== 'DEALLOCATE') return;
    const { prepared, deallocates, facts } = this.sql.read(run.text);
    if (facts.statements !== 1) return;
    for (const { name } of prepared) this.prepared.confirmText(name, run.text);
    for (const name of deallocates) this.prepared.closed(name, this.prepared.candidates(name) ?? []);
  }
}
