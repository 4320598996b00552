import { nearest } from '../core/nearest.js';
import { isHttpConnection, type ConnectionResource } from '../core/resources.js';
import { IMPLICIT_RULES } from '../policy/schema.js';
import type { PolicyTest, TestConnection } from '../policy/schema-tests.js';
import type { ConfigFault } from './fault.js';
import type { LoadedResource, ResourceKind } from './read-resource.js';
import type { ConfigDocument, Path } from './yaml-documents.js';

/** What only shows when all resources are seen together: names taken twice, names of nothing. */
export function referenceFaults(resources: readonly LoadedResource[], entityNames: readonly string[]): ConfigFault[] {
  const flows = namesOf(resources, 'ApprovalFlow');
  const sinks = namesOf(resources, 'Sink');
  const tested = testedNames(resources);
  const entities = [...entityNames, ...namesOf(resources, 'Entity')];
  return [
    ...repeatedNames(resources),
    ...sharedPasswords(resources),
    ...providerConflicts(resources),
    ...resources.flatMap((resource) => {
      if (resource.kind === 'Entity' && entityNames.includes(resource.value.name)) {
        return [
          resource.document.fault(['metadata', 'name'], `\`${resource.value.name}\` is the name of a built-in entity`),
        ];
      }
      if (resource.kind === 'Connection')
        return dangling(
          resource.document,
          ['spec', 'access', 'approval'],
          resource.value.access.approval,
          'ApprovalFlow',
          flows,
        );
      if (resource.kind === 'ApprovalFlow')
        return (resource.value.notify ?? []).flatMap((name, index) =>
          dangling(resource.document, ['spec', 'notify', index], name, 'Sink', sinks),
        );
      if (resource.kind === 'Sink')
        return [...unusedSink(resource, resources), ...unknownProviders(resource, resources)];
      if (resource.kind === 'PolicyTest')
        return [
          ...connectionFaults(resource.document, ['spec', 'connection'], resource.value.connection, tested),
          ...testFaults(resource.document, resource.value.tests, tested),
        ];
      if (resource.kind !== 'Policy') return [];
      const { document, value } = resource;
      return [
        ...value.rules.flatMap((rule, index) =>
          dangling(document, ['spec', 'rules', index, 'approval'], rule.approval, 'ApprovalFlow', flows),
        ),
        ...value.mask.flatMap((mask, index) =>
          (mask.entities ?? []).flatMap((entity, at) =>
            dangling(document, ['spec', 'mask', index, 'entities', at], entity, 'entity', entities),
          ),
        ),
        ...ownTestFaults(resource, tested),
      ];
    }),
  ];
}

/** A sink that nothing reaches was meant to be told of something. */
function unusedSink(
  { document, value }: Extract<LoadedResource, { kind: 'Sink' }>,
  resources: readonly LoadedResource[],
): ConfigFault[] {
  const named = resources.some((one) => one.kind === 'ApprovalFlow' && one.value.notify?.includes(value.name) === true);
  if (value.events.length > 0 || named) return [];
  return [document.fault(['spec'], '`events` is missing, and no ApprovalFlow names this sink under `notify`')];
}

/** Who presses a button in Slack has to be somebody. */
function unknownProviders(
  { document, value }: Extract<LoadedResource, { kind: 'Sink' }>,
  resources: readonly LoadedResource[],
): ConfigFault[] {
  if (value.type !== 'slack') return [];
  const providers = namesOf(resources, 'IdentityProvider');
  return (value.buttons?.people ?? []).flatMap(({ provider }, index) =>
    dangling(document, ['spec', 'buttons', 'people', index, 'provider'], provider, 'IdentityProvider', providers),
  );
}

/** A token must lead to one provider: by issuer and audience; one that is no JWT says neither. */
function providerConflicts(resources: readonly LoadedResource[]): ConfigFault[] {
  const providers = resources.filter((resource) => resource.kind === 'IdentityProvider');
  const takesAny = ({ value }: (typeof providers)[number]): boolean =>
    value.introspection !== undefined || value.userinfo?.trustEveryClient === true;
  return providers.flatMap((provider, index) => {
    const { document, value } = provider;
    const before = providers.slice(0, index);
    const twin = before.find((one) => one.value.issuer === value.issuer && one.value.audience === value.audience);
    const taker = takesAny(provider) ? before.find(takesAny) : undefined;
    return [
      ...(twin === undefined
        ? []
        : [document.fault(['spec', 'issuer'], `\`${twin.value.name}\` has the same issuer and audience`)]),
      ...(taker === undefined
        ? []
        : [
            document.fault(
              ['spec', value.introspection === undefined ? 'userinfo' : 'introspection'],
              `\`${taker.value.name}\` takes tokens that are no JWT already: it would be shown those of this one`,
            ),
          ]),
    ];
  });
}

/** A password that the agent changes by itself may be nobody else's: they would be locked out. */
function sharedPasswords(resources: readonly LoadedResource[]): ConfigFault[] {
  const uses = resources.flatMap(({ document, ...resource }) =>
    resource.kind === 'Connection' ? secretUses(resource.value).map((use) => ({ document, ...use })) : [],
  );
  return uses
    .filter((use) => use.rotates && uses.some((other) => other.secret === use.secret && other.role !== use.role))
    .map(({ document, index, secret }) =>
      document.fault(
        ['spec', 'credentials', index, 'rotation'],
        `secret \`${secret}\` is used by another credential too, which a rotation would lock out`,
      ),
    );
}

function secretUses(connection: ConnectionResource) {
  return isHttpConnection(connection)
    ? connection.credentials.flatMap(({ headers }, index) =>
        Object.values(headers).flatMap((from) =>
          'secret' in from ? [{ index, secret: from.secret, role: connection.url, rotates: false }] : [],
        ),
      )
    : connection.credentials.flatMap(({ username, password, rotateEveryMs }, index) =>
        password !== undefined && 'secret' in password
          ? [
              {
                index,
                secret: password.secret,
                role: JSON.stringify([connection.host, connection.port, username]),
                rotates: rotateEveryMs !== undefined,
              },
            ]
          : [],
      );
}

/** A test that expects a rule or mask which the policy does not have could never hold. */
function ownTestFaults(
  { document, value }: Extract<LoadedResource, { kind: 'Policy' }>,
  known: TestedNames,
): ConfigFault[] {
  const { name, tests } = value;
  const own = (names: readonly string[]): string[] => names.filter((one) => one.startsWith(`${name}/`));
  return testFaults(document, tests, { ...known, rules: own(known.rules), masks: own(known.masks) });
}

/** `policy/name` of all that a test may expect. */
interface TestedNames {
  readonly rules: readonly string[];
  readonly masks: readonly string[];
  readonly connections: readonly string[];
}

function testedNames(resources: readonly LoadedResource[]): TestedNames {
  const policies = resources.flatMap((resource) => (resource.kind === 'Policy' ? [resource.value] : []));
  const implicit = Object.values<string>(IMPLICIT_RULES);
  return {
    rules: policies.flatMap(({ name, rules, mask }) =>
      [...rules.map((rule) => rule.name), ...implicit, ...mask.map((one) => one.name)].map((rule) => `${name}/${rule}`),
    ),
    masks: policies.flatMap(({ name, mask }) => mask.map((one) => `${name}/${one.name}`)),
    connections: namesOf(resources, 'Connection'),
  };
}

function testFaults(document: ConfigDocument, tests: readonly PolicyTest[], known: TestedNames): ConfigFault[] {
  const short = (names: readonly string[]): string[] => names.map((name) => name.slice(name.indexOf('/') + 1));
  const names = (written: string | undefined, all: readonly string[]): readonly string[] =>
    written?.includes('/') === true ? all : short(all);
  return tests.flatMap((test, index) => {
    const path = ['spec', 'tests', index];
    return [
      ...('text' in test
        ? dangling(document, [...path, 'mask'], test.mask, 'mask', names(test.mask, known.masks))
        : dangling(document, [...path, 'rule'], test.rule, 'rule', names(test.rule, known.rules))),
      ...connectionFaults(document, [...path, 'connection'], test.connection, known),
    ];
  });
}

function connectionFaults(
  document: ConfigDocument,
  path: Path,
  connection: TestConnection | undefined,
  known: TestedNames,
): ConfigFault[] {
  return typeof connection === 'string' ? dangling(document, path, connection, 'Connection', known.connections) : [];
}

function dangling(
  document: ConfigDocument,
  path: Path,
  name: string | undefined,
  what: string,
  known: readonly string[],
): ConfigFault[] {
  if (name === undefined || known.includes(name)) return [];
  const near = nearest(name, known);
  return [
    document.fault(path, `there is no ${what} \`${name}\`${near === undefined ? '' : `; did you mean \`${near}\`?`}`),
  ];
}

function namesOf(resources: readonly LoadedResource[], kind: ResourceKind): string[] {
  return resources.flatMap((resource) => (resource.kind === kind ? [resource.value.name] : []));
}

function repeatedNames(resources: readonly LoadedResource[]): ConfigFault[] {
  const first = new Map<string, ConfigFault>();
  return resources.flatMap((resource) => {
    const key = `${resource.kind} ${resource.value.name}`;
    const here = resource.document.fault(['metadata', 'name'], '');
    const before = first.get(key);
    first.set(key, before ?? here);
    if (before === undefined) return [];
    return [
      {
        ...here,
        message: `${resource.kind} \`${resource.value.name}\` stands already at ${before.file}:${String(before.line)}`,
      },
    ];
  });
}
