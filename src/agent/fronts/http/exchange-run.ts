import { messageOf } from '../../../core/errors.js';
import type { Header, HttpRefusal } from '../../../protocols/http/dialect.js';
import { SECRET_REVOKED } from '../../credentials/secret-uses.js';
import type { LiveSession, SessionHost } from '../../sessions/session-host.js';
import type { ExchangeSession } from './exchange-session.js';
import { refusalOf } from './refusals.js';

/** Ends the client's side with a refusal, in the form that it can still take. */
export type Refuse = (refusal: HttpRefusal, headers?: readonly Header[]) => void;

export interface ExchangeSteps {
  /** What it fails with is told to the client, recorded, and thrown no further. */
  work(): Promise<void>;
  /** Lets go of what is left, also where there was no room to begin. */
  after(): void;
}

/** Carries out one request or upgraded stream within `limits.sessions`, whatever comes; resolves when it is sealed. */
export async function runExchange(
  host: SessionHost,
  live: LiveSession,
  session: ExchangeSession,
  refuse: Refuse,
  steps: ExchangeSteps,
): Promise<void> {
  let release: () => void;
  try {
    release = host.slots.take(host.limits().sessions);
  } catch (error) {
    steps.after();
    refuse({ status: 503, code: 'hoop_busy', message: `hoop: ${messageOf(error)}` }, [['retry-after', '1']]);
    return;
  }
  host.drives.add(live);
  const unwatch = session.watchAccess(live);
  const letGo = host.secretUses.hold(session.secrets, () => {
    live.terminate('secret-revoked', '', SECRET_REVOKED);
  });
  try {
    await steps.work();
  } catch (error) {
    const refusal = refusalOf(error);
    refuse(refusal);
    session.failed(error, refusal);
  } finally {
    host.drives.delete(live);
    unwatch();
    letGo();
    release();
    steps.after();
    await session.seal();
  }
}
