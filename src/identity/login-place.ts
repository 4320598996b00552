/** Whose tokens: one login per profile and agent, so that none is ever sent to another agent. */
export interface LoginPlace {
  /** Folder of hoop's own files. */
  readonly folder: string;
  readonly profile: string;
  readonly agentUrl: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}
