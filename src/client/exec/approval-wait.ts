import { HoopError } from '../../core/errors.js';
import type { TunnelClient } from '../../tunnel/dial.js';

/**
 * Bounds how long a run waits for an approval, by what the agent says over the tunnel. When the time
 * is up the session is given up; the agent sees the hang-up and withdraws the request.
 */
export class ApprovalWait {
  #timer: NodeJS.Timeout | undefined;
  #timeout: HoopError | undefined;

  /** @param waitMs undefined: as long as the agent's flow allows */
  constructor(
    tunnel: Pick<TunnelClient, 'onEvent'>,
    private readonly waitMs: number | undefined,
    private readonly giveUp: () => void,
  ) {
    tunnel.onEvent((event) => {
      if (event['event'] === 'approval.waiting') this.#begin();
      if (event['event'] === 'approval.resolved') this.stop();
    });
  }

  /** Set once the time was up: what the run failed with, whatever the driver said of the lost session. */
  get timeout(): HoopError | undefined {
    return this.#timeout;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #begin(): void {
    const { waitMs } = this;
    if (waitMs === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timeout = new HoopError('approval_timeout', 'approval not given in time', {
        why: `--wait ended after ${String(waitMs / 1_000)} s; the request is withdrawn`,
      });
      this.giveUp();
    }, waitMs);
  }
}
