import type { Identity } from '../../core/identity.js';
import { messageOf } from '../../core/errors.js';
import { KnownPeople } from '../callers/known-people.js';
import type { Parts } from '../parts.js';
import { isNamedInSlack, SlackDesk } from './slack-desk.js';

export interface OpenSlackDesk {
  readonly desk: SlackDesk;
  /** A token was verified; gives back whose it is. */
  readonly seen: (identity: Identity) => Identity;
}

/** The desk for buttons in Slack, told of what becomes of requests and of who logs in. */
export function openSlackDesk(
  { live, store, approvals, clock, secrets, newId, log, notices }: Parts,
  withoutSecrets: (text: string) => string,
): OpenSlackDesk {
  const named = { sinks: () => live.current.sinks, providers: () => live.current.identityProviders };
  const people = new KnownPeople(store, clock, (issuer, subject) => isNamedInSlack(named, issuer, subject));
  const desk = new SlackDesk({
    ...named,
    approvals,
    people,
    reveal: async (reference) => (await secrets.resolve(reference)).reveal(),
    clock,
    stamp: () => ({ id: newId(), atMs: clock.nowMs() }),
    withoutSecrets,
    warn: (message) => {
      log.warn(message);
    },
  });
  notices.listen((notice) => {
    desk.notice(notice);
  });
  return {
    desk,
    seen: (identity) => {
      try {
        people.see(identity);
      } catch (error) {
        // Who can't be remembered can't decide in Slack; what they came for goes on.
        log.warn(`a login could not be kept for decisions in Slack: ${messageOf(error)}`);
      }
      return identity;
    },
  };
}
