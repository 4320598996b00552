import { answerKind, answerStage } from '../../../../src/agent/fronts/http/answers/answer-stage.js';
import { mediaTypeOf } from '../../../../src/protocols/http/bodies/body.js';
import type { Dialect, RequestReading } from '../../../../src/protocols/http/dialect.js';
import { hash } from '../../../masking/support.js';
import { optionsOf } from '../../../protocols/http/masked-answer.js';

/** What looks at an answer of this type where entities are masked; undefined where nothing does. */
export function stageOf(
  dialect: Dialect,
  type: string,
  { narrow = false, request = {} }: { readonly narrow?: boolean; readonly request?: Partial<RequestReading> } = {},
): ReturnType<typeof answerStage> {
  const { masker, request: read } = optionsOf();
  return answerStage(answerKind('POST', 200, type, narrow), {
    narrow,
    dialect,
    request: { ...read, ...request },
    masker,
    counts: new Map(),
    maxEventBytes: 1 << 20,
    paths: [],
    hash,
    contentType: mediaTypeOf(type).type,
    events: true,
  });
}
