/** A request as it arrived at the upstream. */
export interface SeenRequest {
  readonly method: string;
  /** The target as it was sent: path and query. */
  readonly url: string;
  /** Names in lower case; values of one name joined with a comma and a blank. */
  readonly headers: Readonly<Record<string, string>>;
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
  /** Settles once the answer has been sent, or the one who asked has gone. */
  readonly ended: Promise<'sent' | 'gone'>;
}
