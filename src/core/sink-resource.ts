import type { SecretRef } from './secret-ref.js';

interface AnySink {
  readonly name: string;
  /** Patterns of events that go there; those of flows that name the sink come besides. */
  readonly events: readonly string[];
  /** What may wait on disk. */
  readonly queueBytes: number;
  /** A PEM file that is trusted besides the system's roots. */
  readonly ca?: string;
}

/** Buttons below messages in Slack, and whose decision a press of them is. */
export interface SlackButtons {
  /** Of the Slack app: what Slack signs its requests with. */
  readonly signingSecret: SecretRef;
  /** Id of the workspace. */
  readonly team: string;
  /** Slack users, and who they are: a subject of an identity provider. */
  readonly people: readonly { readonly user: string; readonly provider: string; readonly subject: string }[];
  /** A token of the person must have been verified within this time, in ms: it says which groups they are in. */
  readonly seenWithinMs: number;
}

/** Where events go outside of the agent. */
export type SinkResource = AnySink &
  (
    | {
        readonly type: 'webhook';
        readonly url: string;
        readonly secret: SecretRef;
        readonly headers: Readonly<Record<string, SecretRef>>;
      }
    | { readonly type: 'slack'; readonly url: string; readonly buttons?: SlackButtons }
    | { readonly type: 'teams'; readonly url: string }
    | { readonly type: 'file'; readonly path: string; readonly maxBytes: number; readonly keep: number }
    | { readonly type: 'syslog'; readonly host: string; readonly port: number }
    | { readonly type: 'otlp'; readonly url: string; readonly headers: Readonly<Record<string, SecretRef>> }
  );
