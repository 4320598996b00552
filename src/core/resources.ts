/**
 * The resources of an agent as every room sees them: checked, defaults filled in, `${ENV}` expanded,
 * paths absolute. `config` makes them from files; nothing else parses YAML.
 */

import type { RecordBounds } from './output-digest.js';
import type { Reviewer, ReviewedRequest } from './approval.js';
import type { AudienceParameter, LoginToken } from './login-options.js';
import type { MasterKeyRef, SecretRef } from './secret-ref.js';

export type { MasterKeyRef, SecretRef } from './secret-ref.js';
export type { SinkResource, SlackButtons } from './sink-resource.js';

export interface Limits {
  readonly statementBytes: number;
  readonly rowBytes: number;
  readonly bodyBytes: number;
  /** What one session may hold in memory; none of the others is larger. */
  readonly sessionBytes: number;
  /** Live sessions of the whole agent. */
  readonly sessions: number;
  readonly loginsPerMinute: number;
}

/** A bucket of an S3-compatible store. */
export interface UploadTarget {
  /** `https://host`, without a slash at the end. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** Empty, or with a slash at the end. */
  readonly prefix: string;
  /** Is the bucket named in the path, and not in the host's name? */
  readonly pathStyle: boolean;
  /** PEM file trusted besides the usual certificates. */
  readonly ca?: string;
  readonly accessKeyId: SecretRef;
  readonly secretAccessKey: SecretRef;
  readonly sessionToken?: SecretRef;
}

/** Where spans go, and of how much. */
export interface TracingSettings {
  /** Of an OTLP/HTTP collector; `/v1/traces` is put behind it. */
  readonly url: string;
  readonly headers: Readonly<Record<string, SecretRef>>;
  /** Path of a PEM file that is trusted besides the system's roots. */
  readonly ca?: string;
  /** Which part is traced of what comes without a trace of its own: 0 to 1. */
  readonly ratio: number;
}

export interface AgentResource {
  readonly name: string;
  readonly listen: {
    readonly host: string;
    readonly port: number;
    readonly tls?: { readonly cert: string; readonly key: string };
    /** Addresses and networks whose `X-Forwarded-For` is believed. */
    readonly trustedProxies: readonly string[];
  };
  readonly publicUrl?: string;
  readonly store: { readonly driver: 'sqlite'; readonly path: string };
  readonly recordings: {
    readonly dir: string;
    readonly durability: 'flush' | 'sync';
    /** How long a recording is kept, in ms; absent: for ever. */
    readonly retentionMs?: number;
    /** Most bytes of all recordings together; the oldest go first. */
    readonly maxBytes?: number;
    /** Are closed recordings compressed? Absent: no. */
    readonly compress?: 'brotli';
    /** Where closed recordings are copied to; absent: nowhere. */
    readonly upload?: UploadTarget;
  };
  readonly masterKey: MasterKeyRef;
  readonly roles: { readonly admin: readonly string[]; readonly auditor: readonly string[] };
  readonly limits: Limits;
  readonly tracing?: TracingSettings;
}

/** A condition on a token's claims, and what a token that meets it has besides. */
export interface ClaimMapping {
  /** CEL over `claims`. */
  readonly when: string;
  /** False also where the condition can't be evaluated, as where a claim is missing. */
  meets(claims: Readonly<Record<string, unknown>>): boolean;
  readonly groups: readonly string[];
  readonly attributes: Readonly<Record<string, unknown>>;
  /** The token belongs to no person. */
  readonly machine: boolean;
}

/** RFC 7662: the provider is asked about a token. */
export interface IntrospectionSettings {
  readonly clientId: string;
  readonly clientSecret: SecretRef;
  /** Those that are no JWT, or JWTs as well, for the sake of revocation. */
  readonly tokens: 'opaque' | 'all';
  /** Clients whose tokens count where the answer names no audience. */
  readonly clients: readonly string[];
  readonly cacheMs: number;
}

/** The provider's userinfo endpoint adds claims to tokens that lack them. */
export interface UserinfoSettings {
  /** Opaque tokens are taken too, although userinfo can't say for whom they were made. */
  readonly trustEveryClient: boolean;
  readonly cacheMs: number;
}

export interface IdentityProviderResource {
  readonly name: string;
  readonly issuer: string;
  readonly audience: string;
  readonly clientId?: string;
  readonly login: boolean;
  readonly scopes: readonly string[];
  /** `groups` and `email`: a claim's name, or the way to a nested one with dots. */
  readonly claims: { readonly email: string; readonly groups: string; readonly attributes: readonly string[] };
  readonly reviewers: boolean;
  /** Tokens of this provider belong to no person. */
  readonly machine: boolean;
  /** Not empty: a token has to meet one of them. */
  readonly mappings?: readonly ClaimMapping[];
  readonly introspection?: IntrospectionSettings;
  readonly userinfo?: UserinfoSettings;
  /** Path of a PEM file that is trusted besides the system's roots, for this provider. */
  readonly ca?: string;
  readonly loginToken?: LoginToken;
  readonly audienceParameter?: AudienceParameter;
  readonly redirectUri?: string;
  /** Told to everybody who asks the agent: for providers that give installed programs one. */
  readonly publicClientSecret?: string;
}

export interface DatabaseCredential {
  readonly groups: readonly string[];
  readonly username: string;
  readonly password?: SecretRef;
  /** The agent changes the password by itself once it is this old, in ms. */
  readonly rotateEveryMs?: number;
}

export interface UpstreamTls {
  readonly mode: 'disable' | 'require' | 'verify-ca' | 'verify-full';
  /** Path of a PEM file; the system's trust where absent. */
  readonly ca?: string;
}

interface AnyConnection {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly access: { readonly groups: readonly string[]; readonly approval?: string; readonly maxDurationMs?: number };
  /** How much of each output is recorded, where that is not as usual. */
  readonly record?: Partial<RecordBounds>;
}

export interface PostgresConnection extends AnyConnection {
  readonly type: 'postgres';
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** Glob patterns of further databases. */
  readonly databases: readonly string[];
  readonly tls: UpstreamTls;
  readonly credentials: readonly DatabaseCredential[];
  /** May clients open replication sessions? They can't be masked. */
  readonly replication?: boolean;
  /** How long a catalogue read may be trusted, in ms. */
  readonly catalogTtlMs: number;
}

/** What goes to the upstream in the place of the caller's token. */
export interface HttpCredential {
  readonly groups: readonly string[];
  /** What the record calls it; never its value. */
  readonly name: string;
  /** Header names, lower-case, and where their values come from: none for an upstream that asks for nothing. */
  readonly headers: Readonly<Record<string, SecretRef>>;
}

/** What tokens of one model cost. */
export interface ModelPrice {
  /** Glob over the model's name; the first that matches counts. */
  readonly model: string;
  /** US dollars for a million tokens. */
  readonly inputPerMillion: number;
  readonly outputPerMillion: number;
  /** Of input that the provider read from a cache; absent: as other input. */
  readonly cachedInputPerMillion?: number | undefined;
  /** Of input that it wrote to one; absent: as other input. */
  readonly cacheWritePerMillion?: number | undefined;
}

/** Connection types that are spoken over HTTP: the two dialects of models, and any other. */
export const HTTP_TYPES = ['http', 'openai', 'anthropic'] as const;
export type HttpType = (typeof HTTP_TYPES)[number];

export interface HttpConnection extends AnyConnection {
  readonly type: HttpType;
  /** `https://api.example.com/base` without a slash at the end; a request's path is appended. */
  readonly url: string;
  /** A PEM file of the roots that the upstream's certificate is verified by; the system's where absent. */
  readonly ca?: string;
  readonly credentials: readonly HttpCredential[];
  /** What becomes of content that a rule or a mask would have to read and can't. */
  readonly uninspected: 'block' | 'allow';
  /** May callers have a provider of models give out keys, or administer its account? */
  readonly issuedKeys: 'block' | 'allow';
  readonly prices: readonly ModelPrice[];
}

export type ConnectionResource = PostgresConnection | HttpConnection;
export type Credential = DatabaseCredential | HttpCredential;

export function isHttpConnection(connection: ConnectionResource): connection is HttpConnection {
  return connection.type !== 'postgres';
}

/** Which requests a reviewer may decide, beyond being in a group: CEL over `request` and `reviewer`, compiled. */
export interface ReviewCondition {
  readonly text: string;
  /** An expression that fails on these facts is false: nobody gains a right by an error. */
  holds(request: ReviewedRequest, reviewer: Reviewer): boolean;
}

/** Hours in which approvals are possible. */
export interface Schedule {
  /** 0 is Sunday. */
  readonly days: readonly number[];
  /** Minutes after midnight; `to` is not in it any more, and smaller than `from` where it is on the next day. */
  readonly fromMinute: number;
  readonly toMinute: number;
  /** IANA name, e.g. `Europe/Berlin`. */
  readonly timezone: string;
}

export interface ReviewerEntry {
  readonly groups: readonly string[];
  /** Distinct people. */
  readonly count: number;
  readonly condition?: ReviewCondition;
}

export interface ApprovalFlowResource {
  readonly name: string;
  readonly reviewers: readonly ReviewerEntry[];
  /** Holds for every entry and for denying. */
  readonly condition?: ReviewCondition;
  /** How long a statement is held, in ms. */
  readonly waitMs: number;
  /** How long a request for access stays open, in ms; `waitMs` where absent. */
  readonly expiryMs?: number;
  readonly grant: {
    readonly scope: 'statement' | 'session' | 'connection';
    readonly ttlMs: number;
    readonly unlimitedUses: boolean;
  };
  readonly selfApproval: boolean;
  readonly schedule?: Schedule;
  /** Longest time that can be asked for or given, in ms. */
  readonly maxDurationMs?: number;
  readonly reasonRequired?: boolean;
  /** What a reason must hold somewhere: RE2 syntax. */
  readonly ticket?: { readonly pattern: string; test(text: string): boolean };
  /** Who goes ahead at once by giving a reason, and is looked at afterwards. */
  readonly breakGlass?: { readonly groups: readonly string[] };
  /** Statements are tried out and rolled back as soon as they wait, for reviewers to see. */
  readonly preview?: boolean;
  /** Names of sinks that are told of this flow's requests. */
  readonly notify?: readonly string[];
}

export interface EntityResource {
  readonly name: string;
  /** RE2 syntax. */
  readonly pattern: string;
  readonly validate: 'none' | 'luhn';
  readonly examples: { readonly match: readonly string[]; readonly noMatch: readonly string[] };
}
