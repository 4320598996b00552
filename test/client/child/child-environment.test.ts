import { describe, expect, it } from 'vitest';
import { childEnvironment, withoutProxy } from '../../../src/client/child/child-environment.js';
import { environmentOfAll, type OpenPlace } from '../../../src/client/child/environment.js';

const place = (type: string): OpenPlace => ({
  connection: type,
  type,
  address: { host: '127.0.0.1', port: 15_432 },
  database: '',
  user: 'ana',
  key: 'sk-hoop-x',
});
const child = (inherited: NodeJS.ProcessEnv, ...types: string[]): NodeJS.ProcessEnv => {
  const places = types.map(place);
  return childEnvironment(inherited, places, environmentOfAll(places));
};

describe('childEnvironment', () => {
  it('drops what leads libpq around the port and the caller’s own tokens', () => {
    const env = child(
      {
        PATH: '/bin',
        PGHOSTADDR: '10.0.0.5',
        PGSERVICE: 'prod',
        PGPASSWORD: 'x',
        HOOP_TOKEN: 't',
        HOOP_CLIENT_SECRET: 's',
        PGHOST: 'db',
        PGAPPNAME: 'mine',
      },
      'postgres',
    );
    expect(env).toMatchObject({ PATH: '/bin', PGAPPNAME: 'mine', PGHOST: '127.0.0.1' });
    for (const name of ['PGHOSTADDR', 'PGSERVICE', 'PGPASSWORD', 'HOOP_TOKEN', 'HOOP_CLIENT_SECRET'])
      expect(env).not.toHaveProperty(name);
  });

  it.each([
    ['openai', 'OPENAI_ORG_ID'],
    ['openai', 'OPENAI_ORGANIZATION'],
    ['openai', 'OPENAI_PROJECT_ID'],
    ['openai', 'OPENAI_API_BASE'],
    ['openai', 'OPENAI_API_TYPE'],
    ['openai', 'AZURE_OPENAI_API_KEY'],
    ['openai', 'CODEX_API_KEY'],
    ['openai', 'CODEX_ACCESS_TOKEN'],
    ['openai', 'AZURE_OPENAI_ENDPOINT'],
    ['anthropic', 'ANTHROPIC_AUTH_TOKEN'],
    ['anthropic', 'ANTHROPIC_CUSTOM_HEADERS'],
    ['anthropic', 'ANTHROPIC_PROFILE'],
    ['anthropic', 'ANTHROPIC_BEDROCK_BASE_URL'],
    ['anthropic', 'ANTHROPIC_VERTEX_PROJECT_ID'],
    ['anthropic', 'CLAUDE_CODE_USE_BEDROCK'],
    ['anthropic', 'CLAUDE_CODE_USE_VERTEX'],
    ['anthropic', 'CLAUDE_CODE_OAUTH_TOKEN'],
  ])('for %s drops %s, and leaves it to a child of another connection', (type, name) => {
    expect(child({ [name]: 'elsewhere' }, type)).not.toHaveProperty(name);
    expect(child({ [name]: 'elsewhere' }, 'postgres')).toHaveProperty(name, 'elsewhere');
  });

  it.each([
    'OPENAI_MODEL',
    'OPENAI_LOG',
    'OPENAI_TIMEOUT',
    'ANTHROPIC_MODEL',
    'ANTHROPIC_SMALL_FAST_MODEL',
    'PGPASSWORD',
  ])('leaves %s, which leads nowhere else', (name) => {
    expect(child({ [name]: 'x' }, 'openai', 'anthropic')).toHaveProperty(name, 'x');
  });

  it('puts the port’s key in the place of an inherited one', () => {
    const env = child({ OPENAI_API_KEY: 'sk-real', ANTHROPIC_API_KEY: 'sk-ant-real' }, 'openai', 'anthropic');
    expect([env['OPENAI_API_KEY'], env['ANTHROPIC_API_KEY']]).toEqual(['sk-hoop-x', 'sk-hoop-x']);
  });
});

describe('withoutProxy', () => {
  it('adds loopback to both lists of hosts without a proxy, keeping what either has', () => {
    const inherited = { https_proxy: 'http://proxy:3128', NO_PROXY: 'corp.local', no_proxy: '10.0.0.1, localhost' };
    const value = '10.0.0.1,localhost,corp.local,127.0.0.1,::1';
    expect(withoutProxy(inherited, [place('openai')])).toEqual({ NO_PROXY: value, no_proxy: value });
  });

  it('changes nothing where no proxy is set, and nothing for Postgres', () => {
    expect(withoutProxy({ NO_PROXY: 'a' }, [place('openai')])).toEqual({});
    expect(withoutProxy({ HTTP_PROXY: 'http://proxy' }, [place('postgres')])).toEqual({});
  });
});
