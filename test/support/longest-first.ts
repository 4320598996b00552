import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take longer than others, mostly by waiting: begun first, none of them is left over at the end. */
const LONGEST = [
  'test/protocols/postgres/evasions/evasions.test.ts',
  'test/dev/dev.test.ts',
  'test/masking/linear-time.test.ts',
  'test/end-to-end/killed-agent.test.ts',
];

/** The files of each project in one order on every machine, whatever ran before. */
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
