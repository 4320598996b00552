// Who may import whom: the table of docs/architecture.md as data. The rules that `npm run check` enforces are made
// from it; whatever a room does not list is refused.
//
// rooms     rooms that may be imported besides the room itself; `room/file` means that one file alone
// packages  npm packages that may be imported
// only      packages kept to some files of the room: { package: pattern of the file names }
// node      may the room import Node's own modules?
// inside    folders of the room that may import, besides the room's own files, only the folders listed
// because   the reason, shown when the rule is broken

/** The words everyone shares and the pure rooms: no I/O, so that every decision can be tested without a clock or socket. */
const pure = [
  {
    name: 'core',
    rooms: [],
    packages: [],
    node: false,
    because: 'core holds the words that every room shares: what it imports, everything imports',
  },
  {
    name: 'policy',
    rooms: ['core'],
    packages: ['zod', '@marcbachmann/cel-js', 're2js'],
    only: { zod: 'schema', '@marcbachmann/cel-js': '(schema|expression)' },
    node: false,
    because: 'policy is pure: facts and rules in, a decision out, the same on every machine and in every test',
  },
  {
    name: 'masking',
    rooms: ['core'],
    packages: ['re2js'],
    node: false,
    because: 'masking is pure: it knows text and entities, never where the text comes from',
  },
];

/** One room per protocol; a protocol that needs another one's words has found a word for `core` or the contract. */
const protocols = [
  {
    name: 'protocols',
    files: '^src/protocols/[^/]+$',
    rooms: ['core', 'policy/types', 'protocols/*'],
    packages: [],
    node: false,
    because: 'the contract and the registry tie protocols together and know no socket, clock or store',
  },
  {
    name: 'protocols/postgres',
    rooms: ['core', 'policy/types', 'masking', 'protocols/contract'],
    packages: ['libpg-query'],
    only: { 'libpg-query': 'facts' },
    inside: { wire: [] },
    node: false,
    because:
      'a protocol is a pure state machine: it gives facts, it does not decide, and never reaches another protocol',
  },
  {
    name: 'protocols/http',
    rooms: ['core', 'policy/types', 'masking', 'protocols/contract'],
    packages: [],
    node: false,
    because: 'what HTTP messages mean and hold is pure; sockets and framing belong to the front and to Node',
  },
  ...['openai', 'anthropic', 'ollama'].map((name) => ({
    name: `protocols/${name}`,
    rooms: ['core', 'policy/types', 'masking', 'protocols/contract', 'protocols/http'],
    packages: [],
    node: false,
    because:
      'a model API is a dialect of HTTP: it says where text, tools and usage stand, and reaches no other dialect',
  })),
];

/** Rooms that own one kind of resource each, behind one library each. */
const edges = [
  {
    name: 'network',
    rooms: ['core'],
    packages: [],
    node: true,
    because: 'the way out of a machine, its proxies and whom it trusts, is one thing, whoever goes it',
  },
  {
    name: 'tunnel',
    rooms: ['core', 'network'],
    packages: ['ws'],
    node: true,
    because: 'the tunnel carries bytes and knows no protocol, identity or policy',
  },
  {
    name: 'identity',
    rooms: ['core', 'network'],
    packages: ['openid-client', 'jose', 'keytar'],
    node: true,
    because: 'tokens are obtained, kept and verified in one place, apart from what they give access to',
  },
  {
    name: 'secrets',
    rooms: ['core'],
    packages: [],
    node: true,
    because: 'stored credentials are resolved here and handed to nobody but the agent',
  },
  {
    name: 'connections',
    rooms: ['core'],
    packages: [],
    node: true,
    because: 'which connection and which credential a caller gets depends on identity and resources alone',
  },
  {
    name: 'approvals',
    rooms: ['core'],
    packages: [],
    node: true,
    because: 'approvals bind requests to people; they read no protocol and no policy',
  },
  {
    name: 'recording',
    rooms: ['core'],
    packages: ['re2js'],
    only: { re2js: 'replay/pattern' },
    node: true,
    because: 'a recording can be written and verified without any part that made its events',
  },
  {
    name: 'store',
    rooms: ['core'],
    packages: ['@photostructure/sqlite'],
    node: true,
    because: 'the database library stays behind the store, so that a second driver changes one room',
  },
  {
    name: 'sinks',
    rooms: ['core', 'network', 'identity/http-fetch'],
    packages: [],
    node: true,
    because: 'events leave the agent here, masked and recorded before: a sink reads no policy, request or recording',
  },
  {
    name: 'archive',
    rooms: ['core', 'network', 'recording'],
    packages: [],
    node: true,
    because:
      'closed recordings are copied elsewhere by what only reads them: it writes no recording and makes no event',
  },
  {
    name: 'config',
    rooms: ['core', 'policy'],
    packages: ['yaml', 'zod'],
    node: true,
    because: 'files become checked resources here, and nothing else parses YAML',
  },
];

/** Rooms that put others together, and what people see. */
const roots = [
  {
    name: 'agent',
    rooms: [
      'core',
      'policy',
      'masking',
      'protocols',
      'tunnel',
      'identity',
      'secrets',
      'connections',
      'approvals',
      'recording',
      'sinks',
      'archive',
      'store',
      'config',
    ],
    packages: ['ws', 'pino', 'prom-client', 'pg', 'undici', 'http-proxy'],
    only: { pg: 'fronts/postgres/', undici: 'fronts/http/', 'http-proxy': 'fronts/http/' },
    node: true,
    because: 'the agent composes the rooms of the server side; nothing of the laptop may be needed to run it',
  },
  {
    name: 'client',
    rooms: ['core', 'identity', 'network', 'tunnel', 'config', 'recording', 'protocols'],
    packages: ['pg', 'pkijs', 'asn1js', 'koffi', '@xterm/headless'],
    only: {
      pkijs: 'ports/issue-certificate',
      asn1js: 'ports/issue-certificate',
      koffi: 'ports/sock-diag',
      '@xterm/headless': 'replay/replay-terminal',
    },
    inside: {
      child: ['ports'],
      connect: ['child', 'login', 'ports', 'requests', 'tunnels'],
      login: [],
      ports: ['tunnels'],
      recordings: [],
      replay: ['login', 'recordings'],
      requests: ['recordings', 'tunnels'],
      tunnels: [],
    },
    node: true,
    because: 'the laptop decides nothing: policy, masks, secrets and approvals stay with the agent',
  },
  {
    name: 'tui',
    rooms: ['core'],
    packages: ['chalk', 'ink', 'react'],
    node: false,
    because: 'screens take props and give callbacks; they fetch nothing',
  },
  {
    name: 'cli',
    rooms: ['core', 'client', 'tui', 'identity', 'config', 'policy', 'protocols', 'masking', 'recording'],
    packages: ['@oclif/core', 'chalk', 'open', 'qrcode-terminal'],
    node: true,
    because: 'what commands share runs on the laptop: profile, token, printing, exit status; never the agent',
  },
  {
    name: 'dev',
    rooms: ['*'],
    packages: [
      '@electric-sql/pglite',
      '@electric-sql/pglite-socket',
      'chalk',
      'jose',
      'oidc-provider',
      'openid-client',
      'pg',
      'ws',
      'yaml',
    ],
    node: true,
    because: 'the trial stack alone may need a database in process and an identity provider',
  },
];

const commands = [
  {
    name: 'commands',
    files: '^commands/(?!agent/|dev\\.ts$)',
    rooms: ['cli', 'client', 'tui', 'core'],
    packages: ['@oclif/core'],
    node: true,
    because: 'a command parses, calls and prints: what a laptop runs must not load the agent',
  },
  {
    name: 'commands/agent',
    files: '^commands/agent/',
    rooms: ['cli', 'client', 'tui', 'core', 'agent', 'config'],
    packages: ['@oclif/core'],
    node: true,
    because: 'only the commands of the agent start an agent',
  },
  {
    name: 'commands/dev',
    files: '^commands/dev\\.ts$',
    rooms: ['cli', 'client', 'tui', 'core', 'dev'],
    packages: ['@oclif/core'],
    node: true,
    because: 'only `hoop dev` loads the trial stack, so that nobody else pays for it',
  },
  {
    name: 'bin',
    files: '^bin/',
    rooms: [],
    packages: [],
    node: true,
    because: 'the binary starts the built launcher and nothing else',
  },
];

export const ROOMS = [...pure, ...protocols, ...edges, ...roots, ...commands];
