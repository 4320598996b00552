/** Refusals in the extended protocol that no policy was asked for. */
import { refusalFor, SQLSTATE } from './refusal.js';
import type { Portal } from './statements/run.js';
import type { StatementDesk } from './statements/statement-desk.js';
import { unreadable } from './statements/statement-text.js';

/** What the server says of a name that it does not know, in its own words. */
export function refuseUnknown(desk: StatementDesk, message: string, code: string): void {
  desk.refuse('extended', desk.newRun('', unreadable('', 'not seen')), { severity: 'ERROR', code, message });
}

/** The values in it would go to another statement, which may show them. */
export function refuseChanged(desk: StatementDesk, { run: { text, facts }, originalsFor }: Portal): void {
  const run = desk.newRun(text, facts);
  desk.recordRefused(run, 'execute', 'hoop/prepared-anew');
  const message = `hoop: prepared statement "${originalsFor?.name ?? ''}" may be another since the EXECUTE was bound`;
  desk.refuse('extended', run, { severity: 'ERROR', code: SQLSTATE.invalidStatementName, message });
}

/** It stood open while too many others told of masked columns by failing. @returns whether it was refused */
export function refuseTelling(desk: StatementDesk, { run: { text, facts }, run: bound }: Portal): boolean {
  const why = desk.options.masks().columns?.refusedNow(bound);
  if (why === undefined) return false;
  const run = desk.newRun(text, facts);
  desk.recordRefused(run, 'execute', why.rule);
  const message = `blocked by policy ${why.rule}: ${why.message}`;
  desk.refuse('extended', run, refusalFor({ action: 'block', message }, undefined));
  return true;
}
