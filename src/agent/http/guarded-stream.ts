import type { Readable } from 'node:stream';
import type { Watched } from '../callers/token-watches.js';

/**
 * An answer that may last: it breaks off when the token of who reads it does not count any more, or they are in other
 * groups by now. They may ask again.
 */
export function guardStream(
  stream: Readable,
  watch: (watched: Watched) => () => void,
  { identity, again }: Pick<Watched, 'identity' | 'again'>,
): Readable {
  const groups = JSON.stringify(identity.groups);
  const end = (): void => {
    stream.destroy();
  };
  const stop = watch({
    identity,
    again,
    onGood: (fresh) => {
      if (JSON.stringify(fresh.groups) !== groups) end();
    },
    onRefused: end,
  });
  return stream.once('close', stop);
}
