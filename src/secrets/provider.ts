/**
 * One place that secrets come from. The reference's key names it: `{ env: NAME }` is read by the provider of kind
 * `env`. What joins later, a vault say, is one more of these.
 */
export interface SecretProvider {
  readonly kind: 'env' | 'file' | 'secret';
  /** What errors and logs call the place; names only. */
  describe(name: string): string;
  /**
   * @param name what the reference holds under the kind's key
   * @returns the value; empty where there is none
   * @throws HoopError `config_invalid`, without any value
   */
  read(name: string): string | Promise<string>;
}
