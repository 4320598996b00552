import {
  exportRecordingKey,
  generateRecordingKey,
  importRecordingKey,
  type RecordingKey,
} from '../../recording/keys.js';
import type { Store } from '../../store/store.js';

/** The key that seals recordings. */
export function recordingKey(store: Store): RecordingKey {
  return importRecordingKey(keptKey(store, 'recording', () => exportRecordingKey(generateRecordingKey())));
}

/** Made at the first start, kept in the store under the master key. */
export function keptKey(store: Store, name: string, make: () => Uint8Array): Uint8Array {
  const known = store.getKey(name);
  if (known !== undefined) return known;
  const made = make();
  store.putKey(name, made);
  return made;
}
