import type { SqlFacts } from '../../policy/types.js';
import type { PreparedStatements } from './prepared.js';
import type { Run } from './run.js';
import type { SqlReader } from './session-options.js';
import { unreadable } from './statement-text.js';

const DEALLOCATE = /^\s*deallocate\s+(?:prepare\s+)?(?:"((?:[^"]|"")+)"|([\w$]+))\s*;?\s*$/i;

/** Follows what SQL itself does to prepared statements: PREPARE, EXECUTE, DEALLOCATE. */
export class SqlPrepared {
  constructor(
    private readonly sql: SqlReader,
    private readonly prepared: PreparedStatements,
  ) {}

  /** The text is about to run: what it PREPAREs may be held from now on. */
  remember(text: string): void {
    if (!/prepare/i.test(text)) return;
    for (const { name, facts } of this.sql.preparedIn(text)) this.prepared.propose(name, { text, facts, types: [] });
  }

  /** `EXECUTE name` runs what was prepared under that name: its facts are added. */
  withExecuted(text: string, facts: SqlFacts): SqlFacts {
    if (!facts.effects.includes('execute')) return facts;
    const own = new Set(this.sql.preparedIn(text).map((prepared) => prepared.name));
    const added: SqlFacts[] = [];
    for (const name of this.sql.executedIn(text)) {
      const candidates = this.prepared.candidates(name);
      if (candidates === undefined || (candidates.length === 0 && !own.has(name))) added.push(unreadable(text, 'EXECUTE of a statement that was not seen'));
      else added.push(...candidates.map((candidate) => candidate.facts));
    }
    return { ...this.sql.merge([facts, ...added]), text: facts.text, params: facts.params, statements: facts.statements };
  }

  /** A command of a simple query is done. */
  completed(run: Run, tag: string): void {
    if (run.facts.statements !== 1) return;
    if (tag === 'PREPARE') for (const { name } of this.sql.preparedIn(run.text)) this.prepared.confirmText(name, run.text);
    const name = tag === 'DEALLOCATE' ? DEALLOCATE.exec(run.text) : null;
    if (name === null) return;
    const closed = name[1]?.replaceAll('""', '"') ?? (name[2] as string).toLowerCase();
    this.prepared.closed(closed, this.prepared.candidates(closed) ?? []);
  }
}
