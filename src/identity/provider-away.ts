import { HoopError } from '../core/errors.js';

/** The provider could not be asked: the token was neither proven nor refused. To callers it is a refusal. */
export class ProviderAway extends HoopError {
  constructor(message: string, cause?: unknown) {
    super('token_refused', message, {
      suggestion: 'try again in a moment; else ask who runs the identity provider',
      cause,
    });
  }
}
