/** What is shown in a secret's place. */
const HIDDEN = '[secret]';

/**
 * A secret value that does not print by accident: string conversion, JSON and Node's inspection
 * (console, loggers, error dumps) show a placeholder. Only `reveal` gives the value.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value, for the moment of use; keep it in no field, message or log. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  /** @see https://nodejs.org/api/util.html#custom-inspection-functions-on-objects */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return HIDDEN;
  }
}
