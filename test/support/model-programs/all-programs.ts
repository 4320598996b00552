import { AI_SDK_PROGRAMS } from './ai-sdk-programs.js';
import { ANTHROPIC_PROGRAMS } from './anthropic-programs.js';
import { COMMAND_PROGRAMS } from './command-programs.js';
import { OPENAI_PROGRAMS } from './openai-programs.js';
import type { ModelProgram } from './program.js';

/** What users of model APIs run: every piece gives the same direct and through hoop where no rule and no mask applies. */
export const MODEL_PROGRAMS: readonly ModelProgram[] = [
  ...OPENAI_PROGRAMS,
  ...ANTHROPIC_PROGRAMS,
  ...AI_SDK_PROGRAMS,
  ...COMMAND_PROGRAMS,
];
