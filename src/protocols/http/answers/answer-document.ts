import { concatBytes } from '../../../core/bytes.js';
import { copyBytes } from '../../../core/copy-bytes.js';
import { HoopError, isFault } from '../../../core/errors.js';
import { parseJsonTree } from '../../../core/json-tree.js';
import type { JsonNode } from '../../../core/json-tree.js';
import type { DocumentLayout } from './answer-layout.js';
import { AnswerMasking } from './answer-masking.js';
import type { TextKind } from './answer-masking.js';
import { AnswerRecord } from './answer-record.js';
import type { UsageOf } from './answer-record.js';
import type { AnswerBody, AnswerOptions, AnswerSummary } from '../dialect.js';
import { maskAnswerTree } from './mask-answer-tree.js';
import { TextEdits } from '../bodies/text-edits.js';

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const BEGINS_JSON = /^\s*[{[]/;
const BYTE_ORDER_MARK = '\ufeff';

/**
 * One JSON document of a model API. Without a masker it passes as it comes and is read along, as far as it is no
 * larger than an event may be; else it is held whole, since what is structure is known by its place in it.
 */
export function answerDocument(options: AnswerOptions, layout: DocumentLayout, usageOf: UsageOf): AnswerBody {
  const { masker, counts, originals, maxEventBytes } = options;
  const record = new AnswerRecord(usageOf);
  if (masker === undefined) return new FollowedDocument(maxEventBytes, layout, record);
  return new MaskedDocument(
    maxEventBytes,
    layout,
    new AnswerMasking(masker, counts, originals, options.narrow),
    record,
  );
}

class FollowedDocument implements AnswerBody {
  #parts: Uint8Array[] | undefined = [];
  #length = 0;

  constructor(
    private readonly maxBytes: number,
    private readonly layout: DocumentLayout,
    private readonly record: AnswerRecord,
  ) {}

  push(part: Uint8Array): Uint8Array {
    this.#length += part.length;
    if (this.#length > this.maxBytes) this.#parts = undefined;
    // Copied: who is given the part may write it over.
    this.#parts?.push(copyBytes(part));
    return part;
  }

  end(): Uint8Array {
    if (this.#parts === undefined) return new Uint8Array();
    const tree = parseJsonTree(utf8.decode(concatBytes(this.#parts)));
    if (!isFault(tree)) recordDocument(tree, this.layout, this.record, (text) => text);
    this.#parts = undefined;
    return new Uint8Array();
  }

  summary(): AnswerSummary {
    return this.record.summary();
  }
}

class MaskedDocument implements AnswerBody {
  #parts: Uint8Array[] = [];
  #length = 0;

  constructor(
    private readonly maxBytes: number,
    private readonly layout: DocumentLayout,
    private readonly masking: AnswerMasking,
    private readonly record: AnswerRecord,
  ) {}

  /** @throws HoopError `limit` for a document that is too large to be masked */
  push(part: Uint8Array): Uint8Array {
    this.#length += part.length;
    if (this.#length > this.maxBytes)
      throw new HoopError('limit', `the answer has more than ${String(this.maxBytes)} bytes and has to be masked`);
    this.#parts.push(copyBytes(part));
    return new Uint8Array();
  }

  /** @throws HoopError `protocol` for what is no JSON */
  end(): Uint8Array {
    const bytes = concatBytes(this.#parts);
    this.#parts = [];
    const decoded = utf8.decode(bytes);
    const text = decoded.startsWith(BYTE_ORDER_MARK) ? decoded.slice(1) : decoded;
    if (text.trim() === '') return bytes;
    const tree = parseJsonTree(text);
    if (isFault(tree)) throw HoopError.fromFault(tree);
    const edits = new TextEdits(text);
    maskAnswerTree(tree, text, { masking: this.masking, edits, skip: new Set(), plain: false });
    this.masking.settle();
    recordDocument(tree, this.layout, this.record, (value, kind) => this.masking.summarised(value, kind));
    const masked = edits.apply();
    return masked === text ? bytes : new TextEncoder().encode(decoded.slice(0, decoded.length - text.length) + masked);
  }

  summary(): AnswerSummary {
    return this.record.summary();
  }
}

function recordDocument(
  tree: JsonNode,
  layout: DocumentLayout,
  record: AnswerRecord,
  mask: (text: string, kind?: TextKind) => string,
): void {
  const { usage, toolCalls, toolArguments, texts } = layout(tree);
  record.addUsage(usage);
  for (const tool of toolCalls) record.addToolCall(mask(tool));
  toolArguments.forEach((text, index) => {
    record.addArguments(String(index), mask(text, BEGINS_JSON.test(text) ? 'json' : 'text'));
  });
  texts.forEach(([name, text], index) => {
    record.begin();
    const shown = mask(text);
    record.count(shown);
    record.addText(`${String(index)}.${name}`, shown);
  });
}
