import type { HttpCredential } from '../../../core/resources.js';
import { createRedactor, type Redactor } from '../../../protocols/http/credentials/credential-redaction.js';
import type { Header } from '../../../protocols/http/dialect.js';
import type { SecretResolver } from '../../../secrets/resolver.js';

/** A credential's headers, and what takes it out of answers; undefined where there is none. */
export interface InjectedCredential {
  readonly headers: readonly Header[];
  readonly redactor: Redactor | undefined;
}

/** Values that are remembered; a rotated secret is one more. */
const MAX_KEPT = 1_000;

/** Resolves credentials at the moment of use, and makes what redacts them once for each value. */
export class CredentialBook {
  readonly #redactors = new Map<string, Redactor>();

  constructor(private readonly resolve: SecretResolver) {}

  /** @throws HoopError as the resolver */
  async of(credential: HttpCredential): Promise<InjectedCredential> {
    const headers: Header[] = [];
    const values: string[] = [];
    for (const [name, reference] of Object.entries(credential.headers)) {
      const value = (await this.resolve(reference)).reveal();
      headers.push([name, value]);
      values.push(value, value.slice(reference.prefix?.length ?? 0));
    }
    return { headers, redactor: values.length === 0 ? undefined : this.#redactor(values) };
  }

  #redactor(values: readonly string[]): Redactor {
    const key = values.join('\0');
    const known = this.#redactors.get(key);
    if (known !== undefined) return known;
    const made = createRedactor([...new Set(values)]);
    if (this.#redactors.size >= MAX_KEPT) this.#redactors.clear();
    this.#redactors.set(key, made);
    return made;
  }
}
