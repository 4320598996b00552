import { HoopError } from '../core/errors.js';

/** Packages that serve the trial stack alone, and are a good part of what is installed. */
const PACKAGES: readonly string[] = ['oidc-provider', '@electric-sql/pglite', '@electric-sql/pglite-socket'];

/**
 * Looks whether the packages of the trial stack are there: an install may leave them out.
 *
 * @throws HoopError `failed` where it did
 */
export function requireTrialPackages(): void {
  try {
    for (const name of PACKAGES) import.meta.resolve(name);
  } catch (error) {
    throw new HoopError('failed', 'the trial stack is not installed', {
      why: 'its identity provider and its Postgres were left out of this install',
      suggestion: 'install hoop again without --omit=optional; everything but `hoop dev` works as it is',
      cause: error,
    });
  }
}
