import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, type Document, type ParsedNode } from 'yaml';
import { escapeControls } from '../core/display.js';
import { expandEnv, type Env } from './expand-env.js';
import type { ConfigFault } from './fault.js';
import type { ConfigFile } from './read-files.js';
import { overYamlBounds } from './yaml-bounds.js';

export type Path = readonly (string | number)[];

/** One document of a file as plain values, with the way back to where each stands. */
export interface ConfigDocument {
  readonly file: string;
  readonly value: unknown;
  /**
   * A fault at a value, or at its key; where the path does not exist, at the nearest that does.
   *
   * @param options.offset UTF-16 units into a text value
   */
  fault(
    path: Path,
    message: string,
    options?: { readonly at?: 'key' | 'value'; readonly offset?: number },
  ): ConfigFault;
}

/** Values of one document, aliases followed: what a small file of nested aliases may not exceed. */
const MAX_NODES = 50_000;
const MAX_DEPTH = 50;
/** Aliases followed; each costs a walk over the document. */
const MAX_ALIASES = 500;
const TOO_MUCH = `more than ${String(MAX_NODES)} values, ${String(MAX_DEPTH)} levels or ${String(MAX_ALIASES)} aliases followed`;

interface Place {
  readonly key: number;
  readonly value: number;
  readonly node: ParsedNode | null;
}

const NO_TAGS = 'tags are not read here';
const KEY_TWICE = 'this key stands twice in its map';

/** Of a text that is left unread. */
function faultAt({ path: file, text }: ConfigFile, offset: number, message: string): ConfigFault {
  const before = text.slice(0, offset).split('\n');
  return { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1, message };
}

/** Cuts a file into documents: YAML 1.2 core schema, unique keys, no tags, `${ENV}` expanded. */
export function readDocuments(
  file: ConfigFile,
  env: Env,
): { readonly documents: readonly ConfigDocument[]; readonly faults: readonly ConfigFault[] } {
  const lines = new LineCounter();
  const over = overYamlBounds(file.text);
  if (over !== undefined) return { documents: [], faults: [faultAt(file, over.offset, over.what)] };
  const parsed = parseAllDocuments(file.text, {
    version: '1.2',
    schema: 'core',
    strict: true,
    stringKeys: true,
    // Looked for below: the library compares each with each.
    uniqueKeys: false,
    merge: false,
    resolveKnownTags: false,
    prettyErrors: false,
    logLevel: 'silent',
    lineCounter: lines,
  });
  const documents: ConfigDocument[] = [];
  const faults: ConfigFault[] = [];
  for (const document of Array.isArray(parsed) ? parsed : []) {
    const reader = new DocumentReader(file, lines, env);
    const read = reader.read(document);
    faults.push(...reader.faults);
    if (read !== undefined && reader.faults.length === 0) documents.push(read);
  }
  return { documents, faults };
}

class DocumentReader {
  readonly faults: ConfigFault[] = [];
  readonly #places = new Map<string, Place>();
  #nodes = 0;
  #aliases = 0;

  constructor(
    private readonly file: ConfigFile,
    private readonly lines: LineCounter,
    private readonly env: Env,
  ) {}

  /** Undefined for an empty document and for one that is not YAML as it is accepted here. */
  read(document: Document.Parsed): ConfigDocument | undefined {
    // Only the first: what follows a slip in the syntax is mostly its echo.
    const [error] = [...document.errors, ...document.warnings];
    if (error !== undefined)
      this.#report(error.pos[0], yamlMessage(error.code, error.message) + this.#quoteHint(error.pos[0]));
    if (document.directives.yaml.explicit === true && document.directives.yaml.version !== '1.2')
      this.#report(0, 'only YAML 1.2 is read');
    if (this.faults.length > 0 || document.contents === null) return undefined;
    const contents: ParsedNode = document.contents;
    if (isScalar(contents) && contents.value === null) return undefined;
    const value = this.#convert(document, contents, [], contents.range[0]);
    return {
      file: this.file.path,
      value,
      fault: (path, message, options) => this.#faultAt(path, message, options ?? {}),
    };
  }

  #convert(document: Document.Parsed, node: ParsedNode | null, path: Path, keyOffset: number): unknown {
    const offset = node?.range[0] ?? keyOffset;
    this.#places.set(JSON.stringify(path), { key: keyOffset, value: offset, node });
    this.#nodes += 1;
    if (isAlias(node)) this.#aliases += 1;
    if (node?.tag !== undefined) this.#report(offset, NO_TAGS);
    if (this.#nodes > MAX_NODES || path.length > MAX_DEPTH || this.#aliases > MAX_ALIASES) {
      // One report says it: the rest of the document is left unread.
      if (this.faults.length === 0) this.#report(offset, TOO_MUCH);
      return undefined;
    }
    if (node === null) return null;
    if (isAlias(node))
      return this.#convert(document, (node.resolve(document) as ParsedNode | undefined) ?? null, path, keyOffset);
    if (isSeq(node))
      return node.items.map((item, index) => this.#convert(document, item, [...path, index], item.range[0]));
    if (isMap(node)) return this.#convertMap(document, node.items, path);
    return typeof node.value === 'string' ? this.#expand(node.value, offset) : node.value;
  }

  #convertMap(
    document: Document.Parsed,
    pairs: readonly { key: ParsedNode; value: ParsedNode | null }[],
    path: Path,
  ): Record<string, unknown> {
    const entries: [string, unknown][] = [];
    const known = new Set<unknown>();
    for (const { key, value } of pairs) {
      if (isScalar(key) && known.size === known.add(key.value).size) this.#report(key.range[0], KEY_TWICE);
      else if (!isScalar(key) || typeof key.value !== 'string') this.#report(key.range[0], 'expected a plain key');
      else if (key.value === '__proto__') this.#report(key.range[0], 'this key is not possible');
      else entries.push([key.value, this.#convert(document, value, [...path, key.value], key.range[0])]);
    }
    return Object.fromEntries(entries);
  }

  #expand(text: string, offset: number): string {
    if (!text.includes('${')) return text;
    const expanded = expandEnv(text, this.env);
    if ('text' in expanded) return expanded.text;
    this.#report(offset, expanded.fault);
    return text;
  }

  /** `{ name: ${X} }` reads as a map inside a map: the usual slip with variables. */
  #quoteHint(offset: number): string {
    const start = this.file.text.lastIndexOf('\n', offset) + 1;
    return /[{,[].*[^"'$]\$\{/.test(this.file.text.slice(start, offset + 2))
      ? '; inside braces or brackets `${…}` needs quotes'
      : '';
  }

  #report(offset: number, message: string): void {
    this.faults.push(this.#fault(offset, message));
  }

  #fault(offset: number, message: string): ConfigFault {
    const { line, col } = this.lines.linePos(offset);
    return {
      file: this.file.path,
      line: Math.max(line, 1),
      column: Math.max(col, 1),
      message: escapeControls(message),
    };
  }

  #faultAt(
    path: Path,
    message: string,
    options: { readonly at?: 'key' | 'value'; readonly offset?: number },
  ): ConfigFault {
    for (let length = path.length; length >= 0; length -= 1) {
      const place = this.#places.get(JSON.stringify(path.slice(0, length)));
      if (place === undefined) continue;
      const inside = length === path.length ? this.#offsetInside(place, options.offset ?? 0) : place.value;
      return this.#fault(options.at === 'key' && length === path.length ? place.key : inside, message);
    }
    return this.#fault(0, message);
  }

  /**
   * Where in the file a character of a text value stands. Quotes and folding move it, but leave words
   * alone: the same word, counted as often, marks the place.
   */
  #offsetInside(place: Place, offset: number): number {
    if (offset === 0 || place.node === null || !isScalar(place.node) || typeof place.node.value !== 'string')
      return place.value;
    const word = /^\S+/.exec(place.node.value.slice(offset))?.[0];
    if (word === undefined) return place.value;
    const block = place.node.type === 'BLOCK_FOLDED' || place.node.type === 'BLOCK_LITERAL';
    const header = block ? this.file.text.indexOf('\n', place.value) : place.value;
    const raw = this.file.text.slice(header, place.node.range[1]);
    let at = raw.indexOf(word);
    for (
      let before = place.node.value.indexOf(word);
      before !== -1 && before < offset && at !== -1;
      before = place.node.value.indexOf(word, before + 1)
    ) {
      at = raw.indexOf(word, at + 1);
    }
    return at === -1 ? place.value : header + at;
  }
}

/** Messages of the YAML library quote the file; only those known not to are passed on. */
function yamlMessage(code: string, message: string): string {
  const own: Readonly<Record<string, string>> = {
    TAG_RESOLVE_FAILED: NO_TAGS,
    NON_STRING_KEY: 'expected a plain key',
    BAD_ALIAS: 'this alias has no anchor before it, or not one that can be followed',
  };
  const known = own[code];
  if (known !== undefined) return known;
  return `not valid YAML: ${
    message
      .split(/[\n:"'`]/)[0]
      ?.trim()
      .toLowerCase() ?? code
  }`;
}
