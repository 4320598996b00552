import type { Environment, OpenPlace } from './environment.js';

/** The caller's own identity, which a child has no need of. */
const IDENTITY: readonly string[] = ['HOOP_TOKEN', 'HOOP_CLIENT_SECRET'];

/**
 * libpq prefers PGHOSTADDR and PGSERVICE to PGHOST; the port speaks no Kerberos, TLS only where it says so, and
 * asks for no certificate.
 */
const POSTGRES: readonly string[] = [
  'PGHOSTADDR',
  'PGSERVICE',
  'PGPASSWORD',
  'PGREQUIRESSL',
  'PGCHANNELBINDING',
  'PGGSSENCMODE',
  'PGSSLNEGOTIATION',
  'PGSSLROOTCERT',
  'PGSSLCERT',
  'PGSSLKEY',
  'PGSSLCRL',
  'PGSSLCRLDIR',
  'PGREQUIREAUTH',
  'PGREQUIREPEER',
  'PGTARGETSESSIONATTRS',
  'PGLOADBALANCEHOSTS',
];

/** Where an SDK sends requests, as whom, and with which headers; not which model it asks, nor what it logs. */
const WAY =
  'KEY|TOKEN|URL|BASE|ENDPOINT|HOST|PROXY|HEADER|ORG|PROJECT|TYPE|VERSION|PROFILE|CONFIG|SCOPE|ACCOUNT|WORKSPACE';
/** Codex takes its own key before OPENAI_API_KEY. */
const OPENAI = new RegExp(`^(?:(?:AZURE_)?OPENAI_.*(?:${WAY}|DEPLOYMENT)|CODEX_(?:API_KEY|ACCESS_TOKEN)$)`);
const ANTHROPIC = new RegExp(
  `^(?:ANTHROPIC_(?:.*(?:${WAY})|BEDROCK|VERTEX|FOUNDRY|AWS|FEDERATION)|CLAUDE_CODE_(?:USE_|OAUTH|SKIP_.*_AUTH))`,
);

/** By connection type: variables that would lead a child around the port, or break its way through it. */
const AROUND: Readonly<Record<string, (name: string) => boolean>> = {
  postgres: (name) => POSTGRES.includes(name),
  openai: (name) => OPENAI.test(name),
  anthropic: (name) => ANTHROPIC.test(name),
  http: (name) => name === 'HOOP_URL',
};

/** Read by one program or another; requests to a port of this machine must go to no proxy. */
const PROXIES = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'] as const;
const LOOPBACK = ['127.0.0.1', 'localhost', '::1'] as const;

/**
 * The inherited environment for a child, with the connections' variables in place of what would lead around
 * them. A program's other ways out, e.g. its own database, stay.
 */
export function childEnvironment(
  inherited: NodeJS.ProcessEnv,
  places: readonly OpenPlace[],
  own: Environment,
): NodeJS.ProcessEnv {
  const leadsAround = places.map(({ type }) => AROUND[type]).filter((around) => around !== undefined);
  const kept = Object.entries(inherited).filter(
    ([name]) => !IDENTITY.includes(name) && !leadsAround.some((around) => around(name)),
  );
  return { ...Object.fromEntries(kept), ...withoutProxy(inherited, places), ...own };
}

/** `NO_PROXY` that names the ports of HTTP connections too, where a proxy is set; both spellings, since programs differ. */
export function withoutProxy(inherited: NodeJS.ProcessEnv, places: readonly OpenPlace[]): Environment {
  const http = places.some(({ type, address }) => type !== 'postgres' && !('socket' in address));
  if (!http || PROXIES.every((name) => (inherited[name] ?? '') === '')) return {};
  const given = [inherited['no_proxy'], inherited['NO_PROXY']].flatMap((list) => (list ?? '').split(/[\s,]+/));
  const hosts = places.map(({ address }) => ('socket' in address ? '' : address.host));
  const value = [...new Set([...given, ...LOOPBACK, ...hosts])].filter((host) => host !== '').join(',');
  return { NO_PROXY: value, no_proxy: value };
}
