/**
 * The names that a condition may use and their CEL types: the contract's list, in one table.
 *
 * Groups that `always` exist are the same for every protocol. A rule that names any other is tried
 * only where that protocol fills it.
 */
export const FACT_TYPES = {
  user: {
    subject: 'string',
    email: 'string',
    groups: 'list<string>',
    attributes: 'map<string, dyn>',
    issuer: 'string',
    machine: 'bool',
  },
  connection: { name: 'string', type: 'string', labels: 'map<string, string>' },
  session: {
    id: 'string',
    correlationId: 'string',
    startedAt: 'google.protobuf.Timestamp',
    clientAddress: 'string',
  },
  sql: {
    text: 'string',
    kind: 'string',
    effects: 'list<string>',
    reads: 'list<ObjectName>',
    writes: 'list<ObjectName>',
    functions: 'list<string>',
    unqualified: 'list<string>',
    unqualifiedWrite: 'bool',
    unbounded: 'bool',
    opaque: 'bool',
    opaqueReason: 'string',
    statements: 'int',
    stacked: 'int',
    params: 'list<dyn>',
  },
  // `json` is what the body means, an empty map where it is no JSON: `has(http.json.amount)` is false there.
  http: {
    method: 'string',
    path: 'string',
    query: 'map<string, dyn>',
    headers: 'map<string, dyn>',
    body: 'string',
    json: 'dyn',
    host: 'string',
  },
  llm: {
    provider: 'string',
    model: 'string',
    prompt: 'string',
    lastUser: 'string',
    messages: 'list<dyn>',
    tools: 'list<dyn>',
    stream: 'bool',
    // A number; null where the request says none.
    maxTokens: 'dyn',
  },
  mcp: { method: 'string', tool: 'string', arguments: 'map<string, dyn>' },
  ssh: { command: 'string', kind: 'string', subsystem: 'string' },
  k8s: {
    verb: 'string',
    group: 'string',
    resource: 'string',
    subresource: 'string',
    namespace: 'string',
    name: 'string',
  },
} as const satisfies Record<string, Readonly<Record<string, string>>>;

export type FactGroup = keyof typeof FACT_TYPES;

/** Groups that only some protocols fill. */
export const PROTOCOL_GROUPS = ['sql', 'http', 'llm', 'mcp', 'ssh', 'k8s'] as const satisfies readonly FactGroup[];
export type ProtocolGroup = (typeof PROTOCOL_GROUPS)[number];

/** The groups that connections of a type fill; of types that this version does not speak, none. */
export const GROUPS_OF_TYPE: Readonly<Record<string, readonly ProtocolGroup[]>> = {
  postgres: ['sql'],
  http: ['http'],
  openai: ['http', 'llm'],
  anthropic: ['http', 'llm'],
};

/** Fields of an element of `sql.reads` and `sql.writes`. */
export const OBJECT_NAME_FIELDS = { schema: 'string', name: 'string' } as const;

/** The moment of deciding; a timestamp. */
export const NOW = 'now';

/** Names that stand for facts. */
export const VARIABLES: readonly string[] = [...Object.keys(FACT_TYPES), NOW];
