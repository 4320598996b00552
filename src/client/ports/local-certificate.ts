import { X509Certificate, createPrivateKey } from 'node:crypto';
import { join } from 'node:path';
import { withFileLock } from '../../identity/file-lock.js';
import { readPrivateFile, writePrivateFile } from '../../identity/private-file.js';

/** What a local port with TLS shows, PEM, and where the certificate alone can be read. */
export interface LocalCertificate {
  readonly cert: string;
  readonly key: string;
  /** For clients that verify: `sslrootcert`. */
  readonly certPath: string;
}

const VALID_DAYS = 397;
/** One with less than this left is replaced at the next start. */
const RENEWED_MS = 30 * 86_400_000;
const LOCK_WAIT_MS = 10_000;

/**
 * The certificate of this user's local ports, made at first use and kept in the configuration folder,
 * 0600. It is kept, and not made anew for each port, because only a certificate that stays can be verified:
 * a client that pins it can't be taken in by another user's program on the port while hoop is not running.
 *
 * @throws HoopError `config_invalid` where others may read the file
 */
export function localCertificate(folder: string, nowMs: number = Date.now()): Promise<LocalCertificate> {
  const path = join(folder, 'local-tls.pem');
  const certPath = join(folder, 'local-tls.crt');
  return withFileLock(
    `${path}.lock`,
    async () => {
      const kept = keptCertificate(readPrivateFile(path), nowMs);
      if (kept !== undefined && readPrivateFile(certPath) === kept.cert) return { ...kept, certPath };
      // Loaded here: nothing else needs the library, and it takes 40 ms.
      const { issueLocalCertificate } = await import('./issue-certificate.js');
      const { cert, key } = kept ?? (await issueLocalCertificate(nowMs, VALID_DAYS));
      writePrivateFile(path, `${cert}${key}`);
      writePrivateFile(certPath, cert);
      return { cert, key, certPath };
    },
    { waitMs: LOCK_WAIT_MS },
  );
}

/** @returns undefined for what is no certificate with its own key, or is about to end: a new one takes its place */
function keptCertificate(text: string | undefined, nowMs: number): { cert: string; key: string } | undefined {
  const [, cert, key] =
    /^(-----BEGIN CERTIFICATE-----\n[^-]+-----END CERTIFICATE-----\n)([^]+)$/.exec(text ?? '') ?? [];
  if (cert === undefined || key === undefined) return undefined;
  try {
    const certificate = new X509Certificate(cert);
    const current = nowMs < Date.parse(certificate.validTo) - RENEWED_MS && nowMs >= Date.parse(certificate.validFrom);
    return current && certificate.checkPrivateKey(createPrivateKey(key)) ? { cert, key } : undefined;
  } catch {
    return undefined;
  }
}
