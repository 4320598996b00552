import { Readable } from 'node:stream';
import type { Identity } from '../../core/identity.js';
import type { Reading } from '../../core/reading.js';
import type { ReadingFilter, ReadingPage } from '../../store/audit-table.js';
import type { Parts } from '../parts.js';
import type { AuditSpan } from './bundle-days.js';
import { evidenceBundle } from './evidence-bundle.js';

/** What the routes ask for auditors. */
export interface AuditDesk {
  /** Notes that someone is about to read a session's recording; throws where it can't be noted. */
  reads(caller: Identity, session: string): void;
  readings(filter: ReadingFilter): ReadingPage;
  /** The evidence of a span as a tar stream. Noted as a reading of every recording in it. */
  export(caller: Identity, span: AuditSpan): Readable;
}

export function auditDesk(parts: Parts): AuditDesk {
  const { store, clock } = parts;
  const reading = (caller: Identity, session: string, what: Reading['what'], detail: string): Reading => {
    const { subject, issuer, email } = caller;
    return { at: clock.timestamp(), session, what, subject, issuer, email, detail };
  };
  return {
    reads: (caller, session) => {
      store.audit.addReadings([reading(caller, session, 'recording', '')]);
    },
    readings: (filter) => store.audit.readings(filter),
    export: (caller, span) => {
      const detail = `${span.from}/${span.to}`;
      store.audit.addReadings([reading(caller, '', 'export', detail)]);
      const bundle = evidenceBundle(parts, {
        span,
        by: caller.email === '' ? caller.subject : caller.email,
        reads: (sessions) => {
          store.audit.addReadings(sessions.map((session) => reading(caller, session, 'export', detail)));
        },
      });
      return Readable.from(bundle);
    },
  };
}
