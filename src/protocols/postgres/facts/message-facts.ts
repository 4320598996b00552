import type { SqlFacts } from '../../../policy/types.js';
import { Findings } from './findings.js';
import { asksReplication } from './replication.js';
import { Walk } from './walk.js';

/**
 * Facts of a FunctionCall message.
 *
 * @param name `schema.name` or `name` of the function; empty, or digits alone, where it is not known
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-FUNCTION-CALL
 */
export function functionCallFacts(name: string): SqlFacts {
  const walk = new Walk({});
  const text = name === '' ? '' : `${name}()`;
  walk.findings.statements = 1;
  walk.findings.effects.add('call');
  if (name === '' || /^\d+$/.test(name)) walk.findings.opaque('a call of a function that is not known');
  else walk.calls(name.split('.'), undefined);
  if (name.slice(name.lastIndexOf('.') + 1).toLowerCase() === 'set_config') {
    walk.findings.effects.add('set-config');
    walk.findings.effects.add('set-role');
    walk.findings.opaque('set_config of a computed name');
  }
  return walk.findings.toFacts(text);
}

/**
 * Facts of a setting in a start-up packet: those of the SET, and for `replication`, which opens
 * another language than SQL, those of a changed identity.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html (StartupMessage)
 */
export function startupSettingFacts(name: string, value: string): SqlFacts {
  const folded = name.toLowerCase();
  const found = new Findings();
  found.statements = 1;
  found.effects.add('set');
  if (folded === 'role') found.effects.add('set-role');
  if (folded === 'session_authorization') found.effects.add('session-authorization');
  if (folded === 'replication' && asksReplication(value)) {
    found.effects.add('session-authorization');
    found.effects.add('replication');
    found.opaque('a replication session');
  }
  if (folded === 'options') found.opaque('start-up options that were not split into settings');
  return found.toFacts(`SET ${folded} TO '${value.replaceAll("'", "''")}'`);
}
