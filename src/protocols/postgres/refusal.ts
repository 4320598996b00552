import type { SqlFacts } from '../../policy/types.js';
import type { Decision } from '../contract.js';
import type { ErrorFields } from './wire/messages.js';

/** SQLSTATEs this room answers with. */
export const SQLSTATE = {
  insufficientPrivilege: '42501',
  syntaxError: '42601',
  queryCanceled: '57014',
  ioError: '58030',
  programLimit: '54000',
  protocolViolation: '08P01',
  connectionFailure: '08006',
  featureNotSupported: '0A000',
  invalidStatementName: '26000',
  invalidCursorName: '34000',
  invalidCatalogName: '3D000',
  invalidAuthorization: '28000',
  invalidPassword: '28P01',
  adminShutdown: '57P01',
  configFileError: 'F0000',
} as const;

/**
 * Sent in place of a refused statement: the grammar itself refuses it in every transaction state, so
 * the server fails the transaction, skips to the Sync and keeps the order of a pipeline exactly as
 * after any error, and nothing of the statement reaches it. Its error is replaced by ours.
 */
export const REFUSED_TEXT = 'hoop_refused';

/** The error that a client gets for a statement that may not run. */
export function refusalFor(
  decision: Exclude<Decision, { action: 'allow' | 'hold' }>,
  facts: SqlFacts | undefined,
): ErrorFields {
  const error = (code: string, message: string): ErrorFields => ({ severity: 'ERROR', code, message });
  switch (decision.action) {
    case 'cancelled':
      return error(SQLSTATE.queryCanceled, 'canceling statement due to user request');
    case 'denied':
    case 'timeout':
      return error(SQLSTATE.insufficientPrivilege, decision.message);
    case 'block':
      break;
  }
  if (decision.code === 'recording_failed') return error(SQLSTATE.ioError, decision.message);
  if (decision.code === 'limit') return error(SQLSTATE.programLimit, decision.message);
  // The server would have said the same of such a text; the client can point at the place.
  if (facts?.syntaxError !== undefined) {
    return {
      severity: 'ERROR',
      code: SQLSTATE.syntaxError,
      message: facts.syntaxError.message,
      position: facts.syntaxError.position,
    };
  }
  const { message, hint } = decision;
  return { ...error(SQLSTATE.insufficientPrivilege, message), ...(hint === undefined ? {} : { hint }) };
}
