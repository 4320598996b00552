/** What sinks can be told of; `events` of a Sink names these, `*` standing for any run of characters. */
export const SINK_EVENTS = [
  'approval.requested',
  'approval.voted',
  'approval.resolved',
  'approval.break-glass',
  'approval.reviewed',
  'grant.ended',
  'decision.allow',
  'decision.warn',
  'decision.approve',
  'decision.block',
  'session.start',
  'session.end',
] as const;

export type SinkEventName = (typeof SINK_EVENTS)[number];

/**
 * One event as a sink gets it: masked and recorded before. Names are those of OCSF where it has one; what it has no name
 * for stands in `unmapped`.
 *
 * @see https://schema.ocsf.io
 */
export interface SinkEvent {
  readonly type: SinkEventName;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** For people: one line. */
  readonly message: string;
  readonly category_uid: number;
  readonly class_uid: number;
  readonly activity_id: number;
  readonly type_uid: number;
  /** 1 informational, 2 low, 3 medium, 4 high. */
  readonly severity_id: 1 | 2 | 3 | 4;
  readonly severity: string;
  /** 1 allowed, 2 denied; absent where nothing was decided. */
  readonly action_id?: 1 | 2;
  readonly action?: string;
  readonly status?: string;
  readonly metadata: {
    /** The same at every attempt to deliver: by it a receiver knows what it has seen. */
    readonly uid: string;
    readonly version: string;
    readonly product: { readonly name: string; readonly vendor_name: string; readonly version: string };
    readonly event_code: string;
    readonly correlation_uid?: string;
  };
  readonly actor: {
    readonly user: {
      readonly uid: string;
      readonly email_addr?: string;
      readonly type: string;
      readonly groups: readonly { readonly name: string }[];
    };
    /** Absent for time-bound access, which belongs to no session. */
    readonly session?: { readonly uid: string; readonly issuer: string };
  };
  readonly src_endpoint?: { readonly ip: string };
  /** The connection. */
  readonly dst_endpoint: { readonly name: string; readonly type: string };
  readonly query_info?: { readonly query_string: string };
  readonly firewall_rule?: { readonly uid: string; readonly desc?: string };
  readonly unmapped: Readonly<Record<string, unknown>>;
}
