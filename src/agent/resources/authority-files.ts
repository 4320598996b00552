import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Resources } from '../../config/resources.js';
import { HoopError } from '../../core/errors.js';
import type { AgentResource } from '../../core/resources.js';

/** Something that can't be reached as things are, since the file of the roots to trust is none. */
export interface MissingAuthority {
  /** Of what, as a person calls it: `connection crm`. */
  readonly owner: string;
  /** `config_invalid`, without anything of the file. */
  readonly error: HoopError;
}

/** The `ca` of resources, and of the agent itself, that can't be read or hold no certificate. */
export async function missingAuthorities(
  agent: Pick<AgentResource, 'recordings' | 'tracing'>,
  { connections, identityProviders, sinks }: Pick<Resources, 'connections' | 'identityProviders' | 'sinks'>,
): Promise<readonly MissingAuthority[]> {
  const named = [
    ...identityProviders.map(({ name, ca }) => ({ owner: `identity provider ${name}`, ca })),
    ...connections.map((one) => ({
      owner: `connection ${one.name}`,
      ca: one.type === 'postgres' ? one.tls.ca : one.ca,
    })),
    ...sinks.map((sink) => ({ owner: `sink ${sink.name}`, ca: 'ca' in sink ? sink.ca : undefined })),
    { owner: 'recordings.upload', ca: agent.recordings.upload?.ca },
    { owner: 'tracing', ca: agent.tracing?.ca },
  ];
  const missing: MissingAuthority[] = [];
  for (const { owner, ca } of named) {
    if (ca === undefined) continue;
    const error = await faultOf(ca);
    if (error !== undefined) missing.push({ owner, error });
  }
  return missing;
}

async function faultOf(path: string): Promise<HoopError | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'it can not be read';
    return new HoopError('config_invalid', 'the file of `ca` can not be read', { why, cause });
  }
  // OpenSSL itself passes over what is none, and trusts nobody then.
  const blocks = text.match(/-----BEGIN (?:X509 )?CERTIFICATE-----[^-]+-----END (?:X509 )?CERTIFICATE-----/g) ?? [];
  if (blocks.length > 0 && blocks.every(isCertificate)) return undefined;
  return new HoopError('config_invalid', 'the file of `ca` holds no certificates', {
    why: 'expected certificates in PEM form',
  });
}

function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}
