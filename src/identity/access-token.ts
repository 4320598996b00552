import { readFileSync } from 'node:fs';
import { HoopError } from '../core/errors.js';

/** Whose tokens: one login per profile and agent, so that none is ever sent to another agent. */
export interface LoginPlace {
  /** Folder of hoop's own files. */
  readonly folder: string;
  readonly profile: string;
  readonly agentUrl: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * A token to send to the agent now: `HOOP_TOKEN`, the file of `HOOP_TOKEN_FILE`, else the login's.
 *
 * @throws HoopError `not_logged_in`
 */
export async function accessToken(place: LoginPlace, _options: { readonly say: (text: string) => void }): Promise<string> {
  const given = tokenFromEnvironment(place.env);
  if (given !== undefined) return given;
  throw new HoopError('not_logged_in', 'not logged in', { why: `the profile ${place.profile} holds no token for this agent` });
}

function tokenFromEnvironment(env: LoginPlace['env']): string | undefined {
  const token = env['HOOP_TOKEN'];
  if (token !== undefined && token.trim() !== '') return token.trim();
  const file = env['HOOP_TOKEN_FILE'];
  if (file === undefined || file === '') return undefined;
  try {
    // Read each time: what puts the job's token there also renews it.
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new HoopError('not_logged_in', 'the file of HOOP_TOKEN_FILE cannot be read', { cause: error });
  }
}
