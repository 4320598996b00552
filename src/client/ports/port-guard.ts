import { randomBytes } from 'node:crypto';
import { HoopError } from '../../core/errors.js';
import { type PeerCheck, canTellPeers, peerCheck } from './peer.js';
import { type PortKey, portKeyFor } from './port-key.js';
import { ScramVerifier } from './scram-verifier.js';

/**
 * Who may use a port: programs of the same operating-system user; whoever knows its password or key; or only those
 * of the same user that know it, e.g. the one program that hoop runs.
 */
export type PortRule = 'user' | 'secret' | 'both';

/** What one port asks of who comes. */
export interface PortGuard {
  /** Left out where a secret is enough. */
  readonly checkPeer?: PeerCheck;
  /** For Postgres clients. */
  readonly password?: { readonly text: string; readonly verifier: ScramVerifier };
  /** For HTTP clients; the agent checks it. */
  readonly key?: PortKey;
}

const PASSWORD_BYTES = 24;

/**
 * @param file the port is a socket file, whose mode says which user may
 * @throws HoopError usage for a secret where the protocol has no place for one; not_in_version where no user can be told either
 */
export function guardFor(type: string, rule: PortRule, file: boolean): PortGuard {
  if (rule === 'secret' && !takesSecret(type)) {
    throw new HoopError('usage', `a port of type ${type} takes no password`, {
      suggestion: 'leave out --password; the port serves your own user alone',
    });
  }
  // Where the platform does not tell who comes, only a secret does.
  const asked = file || canTellPeers() || !takesSecret(type) ? rule : 'secret';
  const password = type === 'postgres' && asked !== 'user' ? newPassword() : undefined;
  const key = portKeyFor(type, asked === 'secret');
  return {
    ...(asked === 'secret' || file ? {} : { checkPeer: peerCheck() }),
    ...(password === undefined ? {} : { password }),
    ...(key === undefined ? {} : { key }),
  };
}

/** Does this type's protocol have a place for one? */
function takesSecret(type: string): boolean {
  return type === 'postgres' || portKeyFor(type, true) !== undefined;
}

function newPassword(): { readonly text: string; readonly verifier: ScramVerifier } {
  const text = randomBytes(PASSWORD_BYTES).toString('base64url');
  return { text, verifier: new ScramVerifier(text) };
}
