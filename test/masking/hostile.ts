/** Units that, repeated, make detectors look far or often. */
export const HOSTILE = [
  '@',
  'a@',
  'a.a.a.a@',
  'a@b.co@',
  '"@',
  '"a"@b.co',
  '1-',
  '1',
  '4111',
  '4111 ',
  '4-1 ',
  '123-45-6789-',
  '+1',
  '+1 ',
  '(415) ',
  '415-555-',
  'DE89',
  'DE89 3704 ',
  '1.',
  '1.2.3.4.',
  ':',
  '::1',
  '1:',
  'eyJ',
  'eyJ-',
  '-eyJ',
  'eyJaaaaaaaaaa.',
  '.eyJaaaaaaaaaa',
  '-----BEGIN ',
  '-----BEGIN PRIVATE KEY-----',
  '-----END ',
  '-----BEGIN EC PRIVATE KEY-----x-----END ',
  'sk-',
  'sk-a-',
  'ghp_',
  'AKIA',
  'xoxb-',
  'AIza-',
  'x://u:p@',
  'x://u:p',
  '://',
  ':@',
  '\\u0040',
  'é@',
  ' ',
  'a',
];

/** The same bytes, counting how often one is read. */
export function counted(bytes: Uint8Array): { readonly bytes: Uint8Array; readonly reads: () => number } {
  let reads = 0;
  const proxy = new Proxy(bytes, {
    get(target, key) {
      if (typeof key === 'string' && key.charCodeAt(0) <= 0x39) {
        reads += 1;
        return target[Number(key)];
      }
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return { bytes: proxy, reads: () => reads };
}
