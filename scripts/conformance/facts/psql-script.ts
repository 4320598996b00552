/** One statement of a psql script, with the data that follows a COPY FROM STDIN. */
export interface ScriptStatement {
  readonly text: string;
  /** Line of its first character, from 1. */
  readonly line: number;
  readonly copyData: string | undefined;
}

const QUOTED = /e'(?:[^'\\]|\\[^]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$([a-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/iy;
const WORD = /[a-z_\u0080-\uffff][\w$\u0080-\uffff]*/iy;
const FROM_STDIN = /^\s*copy\b[^;]*\bfrom\s+(?:stdin|stdout)\b/i;
/** Commands of psql that send what was gathered, as a semicolon does. */
const SENDS = /^\\(?:g|gx|gset|gexec|gdesc|crosstabview|watch|bind)\b/;

/** Cuts a psql script as psql does; its own commands are left out. */
export function scriptStatements(script: string): ScriptStatement[] {
  return new Cutter(script).all();
}

class Cutter {
  private readonly found: ScriptStatement[] = [];
  private start = 0;
  private text = '';
  private depth = 0;
  private at = 0;

  constructor(private readonly script: string) {}

  all(): ScriptStatement[] {
    while (this.at < this.script.length) this.step();
    this.end();
    return this.found;
  }

  private step(): void {
    const { script, at } = this;
    const char = script.charAt(at);
    if (script.startsWith('--', at)) return this.skip(lineEnd(script, at));
    if (script.startsWith('/*', at)) return this.skip(commentEnd(script, at));
    if (char === '\\') return this.command(lineEnd(script, at));
    if (char === ';' && this.depth === 0) return this.semicolon();
    if (char === '(') this.depth += 1;
    if (char === ')') this.depth = Math.max(0, this.depth - 1);
    this.take(this.tokenEnd());
  }

  private tokenEnd(): number {
    const { script, at } = this;
    QUOTED.lastIndex = at;
    const quoted = QUOTED.exec(script);
    if (quoted !== null) {
      if (!quoted[0].startsWith('$')) return QUOTED.lastIndex;
      const close = script.indexOf(quoted[0], QUOTED.lastIndex);
      return close < 0 ? script.length : close + quoted[0].length;
    }
    WORD.lastIndex = at;
    const word = WORD.exec(script)?.[0];
    if (word === undefined) return at + 1;
    this.atomic(word.toLowerCase());
    return WORD.lastIndex;
  }

  /** A body in BEGIN ATOMIC … END holds semicolons of its own. */
  private atomic(word: string): void {
    const inside = /\bbegin\s+atomic\b/i.test(this.text);
    if (word === 'atomic' && /\bbegin\s+$/i.test(this.text)) this.depth += 1;
    if (inside && word === 'case') this.depth += 1;
    if (inside && word === 'end') this.depth = Math.max(0, this.depth - 1);
  }

  private semicolon(): void {
    this.at += 1;
    this.end();
  }

  private command(end: number): void {
    const line = this.script.slice(this.at, end);
    if (line.startsWith('\\;')) return this.semicolon();
    this.at = end;
    if (SENDS.test(line)) this.end();
  }

  private end(): void {
    const text = this.text.trim();
    const line = this.script.slice(0, this.start).split('\n').length;
    this.text = '';
    this.depth = 0;
    if (text === '') return;
    const copyData = FROM_STDIN.test(text) ? this.copyData() : undefined;
    this.found.push({ text, line, copyData });
  }

  private copyData(): string {
    const from = lineEnd(this.script, this.at) + 1;
    const end = /^\\\.\s*$/m.exec(this.script.slice(from));
    const length = end === null ? 0 : end.index;
    this.at = end === null ? this.at : from + length + end[0].length;
    return this.script.slice(from, from + length);
  }

  private take(end: number): void {
    if (this.text.trim() === '') this.start = this.at;
    this.text += this.script.slice(this.at, end);
    this.at = end;
  }

  private skip(end: number): void {
    this.text += ' ';
    this.at = end;
  }
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

function commentEnd(text: string, at: number): number {
  let depth = 0;
  for (let place = at; place < text.length; place += 1) {
    if (text.startsWith('/*', place)) depth += 1;
    else if (text.startsWith('*/', place)) depth -= 1;
    else continue;
    place += 1;
    if (depth === 0) return place + 1;
  }
  return text.length;
}
