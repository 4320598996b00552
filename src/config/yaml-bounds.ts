import { Lexer } from 'yaml';

/** What a file may hold before it is built into a tree, far above what anybody writes. */
const MAX_TOKENS = 500_000;
const MAX_FLOW_DEPTH = 100;
const MAX_ANCHORS = 500;
/** Each level of a block costs at least a column before what stands in it. */
const MAX_INDENT = 500;
/** Marks of the lexer's own, which are not in the text. */
const MARKS: readonly string[] = ['\u0002', '\u0018', '\u001f'];

/**
 * Where a text holds more than the YAML library can build in reasonable time: it builds by recursion, and one that runs
 * out of stack can take the process with it; anchors and unending comments take it minutes, in which the agent does
 * nothing else. The lexer alone has neither trouble.
 *
 * @returns the place, in UTF-16 units; undefined where the text is within all bounds
 */
export function overYamlBounds(text: string): { readonly offset: number; readonly what: string } | undefined {
  const indent = /^[ \t]*(?:[-?][ \t]+)*/gm;
  for (let match = indent.exec(text); match !== null; match = indent.exec(text)) {
    if (match[0].length > MAX_INDENT) return { offset: match.index, what: 'too deep: more than 50 levels' };
    // The next line, also where nothing stands before this one.
    const end = text.indexOf('\n', indent.lastIndex);
    if (end === -1) break;
    indent.lastIndex = end + 1;
  }
  return overCounts(text);
}

function overCounts(text: string): { readonly offset: number; readonly what: string } | undefined {
  let [offset, tokens, depth, anchors] = [0, 0, 0, 0];
  for (const token of new Lexer().lex(text)) {
    tokens += 1;
    if (tokens > MAX_TOKENS) return { offset, what: 'more than fits into one file; divide it' };
    if (MARKS.includes(token)) continue;
    if (token === '[' || token === '{') depth += 1;
    else if (token === ']' || token === '}') depth -= 1;
    else if (token.startsWith('&')) anchors += 1;
    if (depth > MAX_FLOW_DEPTH) return { offset, what: 'too deep: more than 50 levels' };
    if (anchors > MAX_ANCHORS) return { offset, what: `more than ${String(MAX_ANCHORS)} anchors` };
    offset += token.length;
  }
  return undefined;
}
