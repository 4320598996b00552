/** Where a secret's value comes from; resolved by `secrets` at the moment of use. */
export type SecretRef =
  | { readonly secret: string; readonly prefix?: string }
  | { readonly env: string; readonly prefix?: string }
  | { readonly file: string; readonly prefix?: string };

/** Where the master key comes from: as a secret, or what a program prints, e.g. that of a key management service. */
export type MasterKeyRef = SecretRef | { readonly command: readonly string[] };
