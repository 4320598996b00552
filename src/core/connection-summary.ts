/** One connection as lists show it to those who may use it. */
export interface ConnectionSummary {
  readonly name: string;
  readonly type: string;
  readonly access: 'open' | 'needs approval' | 'granted until';
  /** RFC 3339: when granted access ends. */
  readonly until?: string;
  /** The default database; empty for types that have none. */
  readonly database: string;
  readonly labels: Readonly<Record<string, string>>;
}
