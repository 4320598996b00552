import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take longer than others, those that compute beside those that wait: none is left over at the end. */
export const LONGEST: readonly string[] = [
  'test/protocols/postgres/evasions/evasions.test.ts',
  'test/agent/half-open.test.ts',
  'test/scripts/chaos.test.ts',
  'test/masking/linear-time.test.ts',
  'test/agent/upstream-faults.test.ts',
  'test/dev/dev.test.ts',
  'test/end-to-end/killed-agent.test.ts',
  'test/scripts/docs-run.test.ts',
  'test/end-to-end/demo.test.ts',
  'test/end-to-end/sinks-killed.test.ts',
  'test/scripts/fuzz.test.ts',
];

/** The longest files of each project first, then the order that vitest gives them. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = (file: TestSpecification): number => {
      const index = LONGEST.indexOf(relative(this.ctx.config.root, file.moduleId));
      return index < 0 ? LONGEST.length : index;
    };
    const sorted = await super.sort(files);
    const projects = [...new Set(sorted.map((file) => file.project.name))];
    return projects.flatMap((name) =>
      sorted.filter((file) => file.project.name === name).sort((one, other) => rank(one) - rank(other)),
    );
  }
}
