import type { Resources } from '../../config/resources.js';
import type { PolicyTests } from '../../config/test-cases.js';
import { parseHttpInput } from '../../client/exec/http-input.js';
import { HoopError, isFault } from '../../core/errors.js';
import { meetsGroups } from '../../core/identity.js';
import type { MaskPlan } from '../../core/mask.js';
import { nearest } from '../../core/nearest.js';
import type { ApprovalFlowResource, ConnectionResource, HttpType } from '../../core/resources.js';
import { limitsFor } from '../../policy/limits.js';
import { decide } from '../../policy/decide.js';
import { explain as explainRules, type ExplainedRule } from '../../policy/explanation.js';
import { maskPlanFor } from '../../policy/mask-plan.js';
import type { TestUser } from '../../policy/schema-tests.js';
import type { Context, Facts, RuleMatch, Verdict } from '../../policy/types.js';
import { loadGrammar } from '../../protocols/postgres/facts/analyze.js';
import { decisionContext } from './caller.js';
import { isHttpType, readRequest, type WrittenRequest } from './request-reading.js';
import { knownDatabase, outputNames, SqlTrial } from './sql-trial.js';

export interface ExplainRequest {
  /** Name of a connection. */
  readonly connection: string;
  /** A statement, or a request as `hoop exec` takes it or as JSON. */
  readonly input: string;
  readonly user: TestUser;
  readonly at: string | undefined;
  readonly from: string | undefined;
  /** Where the files have no Connection at all. */
  readonly type: string | undefined;
}

/** Everything that policy says of one statement or request, and why. */
export interface Explanation {
  readonly connection: Context['connection'];
  readonly caller: Pick<Context['user'], 'subject' | 'email' | 'groups' | 'attributes'>;
  /** Undefined where the files have no such connection. */
  readonly access: { readonly allowed: boolean; readonly credential: string | undefined } | undefined;
  readonly decision: Pick<Verdict, 'action' | 'rule' | 'message' | 'flows' | 'policyHash'>;
  readonly facts: Facts;
  readonly rules: readonly ExplainedRule[];
  /** Uses of masked columns that are refused. */
  readonly inference: readonly RuleMatch[];
  readonly masks: readonly (MaskPlan['rules'][number] & { readonly places: readonly string[] })[];
  /** Columns of the result, as far as the text names them, and the mask of each. */
  readonly columns: readonly {
    readonly column: string;
    readonly mask: string | undefined;
    readonly strategy: string | undefined;
  }[];
  readonly limits: readonly string[];
  readonly flows: readonly ApprovalFlowResource[];
  /** Was there a description of the database? Without one views and functions are not followed. */
  readonly database: boolean;
}

/**
 * @throws HoopError `not_found` for a connection that the files do not have, `http` for a request that the agent would
 *   refuse before any policy
 */
export async function explain(resources: Resources, tests: PolicyTests, request: ExplainRequest): Promise<Explanation> {
  const found = connectionOf(resources, request);
  const context = decisionContext({ ...request, connection: found.connection });
  const { policySet: set, entities } = resources;
  const plan = maskPlanFor(set, context);
  const { type } = found.connection;
  const suite = tests.cases.find((one) => one.suite?.connection === request.connection && one.suite.database)?.suite;
  let facts: Facts;
  let inference: readonly RuleMatch[] = [];
  let columns: Explanation['columns'] = [];
  let model = '';
  if (isHttpType(type)) {
    const reading = readRequest(type, writtenRequest(request.input, type));
    if (isFault(reading))
      throw new HoopError('http', 'the agent refuses this request before any policy', { why: reading.message });
    ({ facts, model } = reading);
  } else {
    await loadGrammar();
    const database = knownDatabase(suite?.database);
    const trial = new SqlTrial(request.input, [], plan, entities, database);
    facts = { sql: trial.facts };
    inference = trial.refusals();
    const names = outputNames(request.input, database);
    const rules = trial.columnRules(names);
    columns = names.map((column, index) => ({ column, mask: rules[index]?.name, strategy: rules[index]?.strategy }));
  }
  const { action, rule, message, flows, policyHash } = decide(set, context, facts, 'run', inference);
  const { subject, email, groups, attributes } = context.user;
  return {
    connection: found.connection,
    caller: { subject, email, groups, attributes },
    access: found.resource === undefined ? undefined : accessOf(found.resource, groups),
    decision: { action, rule, message, flows, policyHash },
    facts,
    rules: explainRules(set, context, facts),
    inference,
    masks: plan.rules.map((one) => ({ ...one, places: placesOf(resources, one.name, type) })),
    columns,
    limits: limitsFor(set, context, model).map((limit) => `${limit.policy}/${limit.name}`),
    flows: resources.approvalFlows.filter(({ name }) => flows.includes(name)),
    database: suite !== undefined,
  };
}

/** The columns or paths of a mask, as they are written: whichever such a connection has. */
function placesOf({ policies }: Resources, mask: string, type: string): readonly string[] {
  const written = policies
    .flatMap((policy) => policy.mask.map((one) => ({ ...one, name: `${policy.name}/${one.name}` })))
    .find(({ name }) => name === mask);
  return (isHttpType(type) ? written?.paths : written?.columns) ?? [];
}

function accessOf(connection: ConnectionResource, groups: readonly string[]): NonNullable<Explanation['access']> {
  const credentials: readonly {
    readonly groups: readonly string[];
    readonly name?: string;
    readonly username?: string;
  }[] = connection.credentials;
  const credential = credentials.find((one) => meetsGroups(one.groups, { groups }));
  const allowed = meetsGroups(connection.access.groups, { groups }) && credential !== undefined;
  return { allowed, credential: credential?.username ?? credential?.name };
}

function connectionOf(
  { connections }: Resources,
  { connection: name, type, input }: ExplainRequest,
): { readonly connection: Context['connection']; readonly resource: ConnectionResource | undefined } {
  const resource = connections.find((one) => one.name === name);
  if (resource !== undefined) return { connection: { name, type: resource.type, labels: resource.labels }, resource };
  // Policies alone, without the connections that they are for: a set to start from, a repository of policies.
  if (connections.length === 0 || type !== undefined)
    return { connection: { name, type: type ?? guessedType(input), labels: {} }, resource: undefined };
  const near = nearest(
    name,
    connections.map((one) => one.name),
  );
  throw new HoopError('not_found', 'the files have no connection of that name', {
    why: near === undefined ? `they have ${connections.map((one) => one.name).join(', ')}` : `did you mean ${near}?`,
    suggestion: 'name one of the files, or give --type to explain one that they do not have',
  });
}

function guessedType(input: string): string {
  if (!/^\s*(?:\{|[A-Z]+ +\/)/.test(input)) return 'postgres';
  return /"messages"\s*:/.test(input) ? 'openai' : 'http';
}

/** JSON with `path` is a request as tests write it; anything else is what `hoop exec` takes. */
function writtenRequest(input: string, type: HttpType): WrittenRequest {
  const parsed = jsonOf(input);
  if (typeof parsed?.['path'] === 'string' && parsed['messages'] === undefined)
    return { method: 'GET', ...(parsed as Partial<WrittenRequest>), path: parsed['path'] };
  const { method, path, headers, body } = parseHttpInput(input, type);
  return { method, path, headers, ...(body === '' ? {} : { body }) };
}

function jsonOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}
