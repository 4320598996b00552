import type { PolicyTest } from '../policy/schema-tests.js';
import type { PolicyTestResource } from './kinds/policy-test.js';
import type { ConfigFault } from './fault.js';
import type { LoadedResource } from './read-resource.js';
import type { Path } from './yaml-documents.js';

/** Where something stands in the files. */
export type Place = Pick<ConfigFault, 'file' | 'line' | 'column'>;

/** One test of a folder of policies. */
export interface TestCase {
  readonly place: Place;
  /** The policy whose own test it is, and which alone is tried; undefined for those that try all together. */
  readonly policy: string | undefined;
  /** The file's own word for what its tests share; undefined for a policy's own test. */
  readonly suite: PolicyTestResource | undefined;
  readonly test: PolicyTest;
}

/** A rule or mask, for those who look for what no test reaches. */
export interface TestablePart {
  readonly kind: 'rule' | 'mask';
  /** `policy/rule` or `policy/mask`. */
  readonly name: string;
  readonly place: Place;
}

export interface PolicyTests {
  readonly cases: readonly TestCase[];
  readonly parts: readonly TestablePart[];
}

/** Every test of the files, and every rule and mask that one could reach, in the order of the files. */
export function testsOf(loaded: readonly LoadedResource[]): PolicyTests {
  return {
    cases: loaded.flatMap((resource) => {
      if (resource.kind !== 'Policy' && resource.kind !== 'PolicyTest') return [];
      const { tests } = resource.value;
      return tests.map((test, index) => ({
        place: placeIn(resource, ['spec', 'tests', index]),
        policy: resource.kind === 'Policy' ? resource.value.name : undefined,
        suite: resource.kind === 'PolicyTest' ? resource.value : undefined,
        test,
      }));
    }),
    parts: loaded.flatMap((resource): TestablePart[] => {
      if (resource.kind !== 'Policy') return [];
      const { name, rules, mask } = resource.value;
      return [
        ...rules.map((rule, index): TestablePart => ({
          kind: 'rule',
          name: `${name}/${rule.name}`,
          place: placeIn(resource, ['spec', 'rules', index]),
        })),
        ...mask.map((one, index): TestablePart => ({
          kind: 'mask',
          name: `${name}/${one.name}`,
          place: placeIn(resource, ['spec', 'mask', index]),
        })),
      ];
    }),
  };
}

function placeIn({ document }: LoadedResource, path: Path): Place {
  const { file, line, column } = document.fault(path, '');
  return { file, line, column };
}
