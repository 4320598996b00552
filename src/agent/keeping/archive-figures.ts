import { Counter, Gauge, type Registry } from 'prom-client';
import type { Archive, ArchiveFigures } from '../../archive/archive.js';

/** What Prometheus is told of recordings on their way to the bucket. */
export function addArchiveFigures(registry: Registry, archive: Archive, nowMs: () => number): void {
  const gauge = (name: string, help: string, value: (figures: ArchiveFigures) => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value(archive.figures));
      },
    });
  };
  const counter = (name: string, help: string, value: (figures: ArchiveFigures) => number): void => {
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(value(archive.figures));
      },
    });
  };
  gauge('hoop_recordings_to_upload', 'Closed recordings that the bucket has not confirmed', ({ waiting }) => waiting);
  gauge(
    'hoop_recordings_to_upload_oldest_seconds',
    'Age of the oldest session of them, from its start',
    ({ oldestMs }) => (oldestMs === undefined ? 0 : Math.max(0, (nowMs() - oldestMs) / 1_000)),
  );
  counter('hoop_recordings_uploaded_total', 'Recordings that the bucket has confirmed', ({ confirmed }) => confirmed);
  counter('hoop_recording_upload_failures_total', 'Rounds of uploading that failed', ({ failed }) => failed);
}

/** Are there recordings that do not get to the bucket? Said by `/readyz` to those who look after the agent. */
export function archiveTrouble(archive: Archive | undefined): readonly string[] {
  if (archive === undefined) return [];
  const { failing, brokenDays } = archive.figures;
  return failing > 0 || brokenDays > 0 ? ['uploads'] : [];
}
