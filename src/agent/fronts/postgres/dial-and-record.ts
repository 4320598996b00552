import type { Socket } from 'node:net';
import type { PostgresConnection } from '../../../core/resources.js';
import type { RecordingPlace } from '../../../recording/writing/recording-place.js';
import { dialUpstream } from './dial-upstream.js';

/**
 * The connection to the server and the recording, whose file is made meanwhile: both, or neither.
 *
 * @param record begins the recording in its place
 * @throws HoopError rejects with `upstream_unreachable` or `recording_failed`
 */
export async function dialAndRecord<Recorder>(
  connection: PostgresConnection,
  placing: Promise<RecordingPlace>,
  record: (place: RecordingPlace) => Recorder,
): Promise<{ readonly upstream: Socket; readonly recorder: Recorder }> {
  // Its failure is told once the server has answered; until then nobody is listening.
  placing.catch(() => undefined);
  let upstream: Socket | undefined;
  try {
    upstream = await dialUpstream(connection);
    return { upstream, recorder: record(await placing) };
  } catch (error) {
    upstream?.destroy();
    void leave(placing);
    throw error;
  }
}

async function leave(placing: Promise<RecordingPlace>): Promise<void> {
  try {
    (await placing).leave();
  } catch {
    // It could not be made, or not be removed: the next start of the agent removes what is empty.
  }
}
