import type { SqlFacts } from '../../../policy/types.js';
import { Findings } from './findings.js';

/** Values of the start-up parameter that PostgreSQL reads as false; everything else, `database` too, replicates. */
const FALSE = /^(f|fa|fal|fals|false|n|no|of|off|0)$/i;

/** First words of what a WAL sender takes beside SQL. `SHOW` reads as SQL. */
const COMMAND =
  /^\s*(?:identify_system|(?:create|alter|drop|read)_replication_slot|start_replication|timeline_history|base_backup|upload_manifest)\b/i;

/**
 * Does this value of the start-up parameter `replication` open a WAL sender?
 *
 * @see https://www.postgresql.org/docs/current/protocol-replication.html
 */
export function asksReplication(value: string | undefined): boolean {
  return value !== undefined && !FALSE.test(value);
}

/** The facts of a replication command, which is no SQL: what it streams can't be told. Undefined for any other text. */
export function replicationCommandFacts(text: string): SqlFacts | undefined {
  if (!COMMAND.test(text)) return undefined;
  const found = new Findings();
  found.statements = 1;
  found.effects.add('replication');
  found.opaque('a replication command');
  return found.toFacts(text);
}
