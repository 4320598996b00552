/** One connection as lists show it to those who may use it. */
export interface ConnectionSummary {
  readonly name: string;
  readonly type: string;
  readonly access: 'open' | 'needs approval';
  readonly labels: Readonly<Record<string, string>>;
}
