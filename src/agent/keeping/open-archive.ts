import { Archive } from '../../archive/archive.js';
import type { SecretRef, UploadTarget } from '../../core/resources.js';
import type { Parts } from '../parts.js';

/**
 * Opens the way to the bucket that recordings are copied to; undefined where none is configured.
 *
 * @throws HoopError config_invalid where the certificates it should trust can't be read
 */
export function openArchive({
  live,
  store,
  key,
  clock,
  secrets,
  log,
}: Pick<Parts, 'live' | 'store' | 'key' | 'clock' | 'secrets' | 'log'>): Archive | undefined {
  const { dir, upload } = live.agent.recordings;
  if (upload === undefined) return undefined;
  const place = placeOf(upload);
  const reveal = async (reference: SecretRef): Promise<string> => (await secrets.resolve(reference)).reveal();
  return new Archive({
    ...{ dir, key, clock, target: upload, random: Math.random },
    credentials: async () => ({
      accessKeyId: await reveal(upload.accessKeyId),
      secretAccessKey: await reveal(upload.secretAccessKey),
      ...(upload.sessionToken === undefined ? {} : { sessionToken: await reveal(upload.sessionToken) }),
    }),
    ledger: {
      confirmed: (path) => store.uploads.confirmed(place, path),
      confirm: (uploads) => {
        store.uploads.confirm(place, uploads);
      },
    },
    info: (message) => {
      log.info(message);
    },
    warn: (message) => {
      log.warn(message);
    },
  });
}

/** What was confirmed in one place says nothing about another. */
function placeOf({ endpoint, bucket, prefix }: UploadTarget): string {
  return `${endpoint}/${bucket}/${prefix}`;
}
