/** A way to the same database. */
export interface Target {
  readonly name: string;
  readonly port: number;
  /** Sent by clients; hoop needs none. */
  readonly password: string;
  /** Peak and present memory of the process in between, in bytes; undefined where it cannot be read. */
  memory?(): { readonly peak: number; readonly now: number } | undefined;
  /** The process that does the work, and the one on the client's side, where there are two. */
  readonly agentPid?: number;
  readonly connectPid?: number;
  stop(): Promise<void>;
}

/** Why a way is not there on this machine. */
export interface Missing {
  readonly name: string;
  readonly missing: string;
}
