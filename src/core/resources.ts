/**
 * The resources of an agent as every room sees them: checked, defaults filled in, `${ENV}` expanded,
 * paths absolute. `config` makes them from files; nothing else parses YAML.
 */

/** Where a secret's value comes from; resolved by `secrets` at the moment of use. */
export type SecretRef =
  | { readonly secret: string; readonly prefix?: string }
  | { readonly env: string; readonly prefix?: string }
  | { readonly file: string; readonly prefix?: string };

export interface Limits {
  readonly statementBytes: number;
  readonly rowBytes: number;
  readonly bodyBytes: number;
  /** Live sessions of the whole agent. */
  readonly sessions: number;
  readonly loginsPerMinute: number;
}

export interface AgentResource {
  readonly name: string;
  readonly listen: {
    readonly host: string;
    readonly port: number;
    readonly tls?: { readonly cert: string; readonly key: string };
  };
  readonly publicUrl?: string;
  readonly store: { readonly driver: 'sqlite'; readonly path: string };
  readonly recordings: { readonly dir: string; readonly durability: 'flush' | 'sync'; readonly retentionMs?: number };
  readonly masterKey: SecretRef;
  readonly roles: { readonly admin: readonly string[]; readonly auditor: readonly string[] };
  readonly limits: Limits;
}

export interface IdentityProviderResource {
  readonly name: string;
  readonly issuer: string;
  readonly audience: string;
  readonly clientId?: string;
  readonly login: boolean;
  readonly scopes: readonly string[];
  readonly claims: { readonly email: string; readonly groups: string; readonly attributes: readonly string[] };
  readonly reviewers: boolean;
  /** Tokens of this provider belong to no person. */
  readonly machine: boolean;
}

export interface DatabaseCredential {
  readonly groups: readonly string[];
  readonly username: string;
  readonly password?: SecretRef;
}

export interface UpstreamTls {
  readonly mode: 'disable' | 'require' | 'verify-ca' | 'verify-full';
  /** Path of a PEM file; the system's trust where absent. */
  readonly ca?: string;
}

export interface ConnectionResource {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly type: 'postgres';
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** Glob patterns of further databases. */
  readonly databases: readonly string[];
  readonly tls: UpstreamTls;
  readonly credentials: readonly DatabaseCredential[];
  readonly access: { readonly groups: readonly string[]; readonly approval?: string; readonly maxDurationMs?: number };
  /** May clients open replication sessions? They can't be masked. */
  readonly replication?: boolean;
  /** How long a catalogue read may be trusted, in ms. */
  readonly catalogTtlMs: number;
}

export interface ApprovalFlowResource {
  readonly name: string;
  readonly reviewers: readonly { readonly groups: readonly string[]; readonly count: number }[];
  readonly waitMs: number;
  readonly grant: {
    readonly scope: 'statement' | 'session' | 'connection';
    readonly ttlMs: number;
    readonly unlimitedUses: boolean;
  };
  readonly selfApproval: boolean;
}

export interface EntityResource {
  readonly name: string;
  /** RE2 syntax. */
  readonly pattern: string;
  readonly validate: 'none' | 'luhn';
  readonly examples: { readonly match: readonly string[]; readonly noMatch: readonly string[] };
}
