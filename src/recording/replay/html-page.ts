import { createHash } from 'node:crypto';
import { escapeControls } from '../../core/display.js';

/** Data as text or an attribute's value in HTML; what could act on a reader's eyes (directions, controls) is shown. */
export function escapeHtml(text: string): string {
  return escapeControls(text, { keepNewlines: true }).replace(
    /[&<>"'`]/g,
    (char) => `&#${String(char.charCodeAt(0))};`,
  );
}

const STYLE = `
:root { color-scheme: light dark; --fg: #1c1e21; --bg: #fbfbfa; --soft: #6b7078; --line: #dcdee2; --card: #fff; --bad: #b3261e; --good: #1b7f3b; --hold: #9a6700; --info: #1f5fa8; }
@media (prefers-color-scheme: dark) { :root { --fg: #e6e7e9; --bg: #17181a; --soft: #9aa0a8; --line: #34373b; --card: #1f2124; --bad: #ff8a80; --good: #6fd08c; --hold: #e3b341; --info: #8ab8f0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 68rem; color: var(--fg); background: var(--bg); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.35rem; margin: 0 0 .75rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0 0 1rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
pre, code, table { font: 13px/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
pre { margin: .4rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }
form { position: sticky; top: 0; display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; padding: .6rem 0; background: var(--bg); border-bottom: 1px solid var(--line); z-index: 1; }
input, select { font: inherit; padding: .25rem .5rem; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 4px; }
input { flex: 1; min-width: 12rem; }
#shown { color: var(--soft); }
article { margin: .9rem 0; padding: .6rem .9rem; background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--line); border-radius: 4px; break-inside: avoid; }
article header { display: flex; flex-wrap: wrap; gap: .25rem .9rem; align-items: baseline; color: var(--soft); font-size: .9em; }
article header b { color: var(--fg); }
.verdict { font-weight: 600; }
[data-verdict=blocked], [data-verdict=denied] { border-left-color: var(--bad); } [data-verdict=blocked] .verdict, [data-verdict=denied] .verdict, .failed { color: var(--bad); }
[data-verdict=allowed] { border-left-color: var(--good); } [data-verdict=allowed] .verdict, [data-verdict=approved] .verdict { color: var(--good); }
[data-verdict=approved] { border-left-color: var(--good); }
[data-verdict=held], [data-verdict=warned] { border-left-color: var(--hold); } [data-verdict=held] .verdict, [data-verdict=warned] .verdict { color: var(--hold); }
.note { color: var(--soft); margin: .3rem 0; } .said { border-left: 2px solid var(--line); padding-left: .7rem; } .who { color: var(--info); font-weight: 600; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; margin: .4rem 0; } th, td { text-align: left; vertical-align: top; padding: .1rem .7rem .1rem 0; border-bottom: 1px solid var(--line); white-space: pre-wrap; } th { color: var(--soft); font-weight: 600; } td.null { color: var(--soft); font-style: italic; }
.terminal { background: #111; color: #ddd; padding: .7rem .9rem; border-radius: 4px; }
[hidden] { display: none !important; }
footer { margin-top: 1.5rem; color: var(--soft); }
@media print { form { display: none; } body { max-width: none; } }
`;

/** Without it the page is whole: it only narrows what is seen. */
const SCRIPT = `
const form = document.querySelector('form'), items = [...document.querySelectorAll('article')], shown = document.getElementById('shown');
const apply = () => {
  const words = form.elements.words.value.toLowerCase(), verdict = form.elements.verdict.value;
  let count = 0;
  for (const item of items) {
    const fits = (verdict === '' || item.dataset.verdict === verdict || (verdict === 'failed' && item.dataset.failed === 'yes')) && (words === '' || item.textContent.toLowerCase().includes(words));
    item.hidden = !fits;
    if (fits) count += 1;
  }
  shown.textContent = count === items.length ? items.length + ' shown' : count + ' of ' + items.length + ' shown';
};
form.hidden = false;
form.addEventListener('input', apply);
form.addEventListener('submit', (event) => event.preventDefault());
apply();
`;

const digest = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/**
 * Nothing is loaded, nothing is sent, and no script but the page's own runs, whatever the recording holds.
 *
 * @see https://www.w3.org/TR/CSP3/#csp-header
 */
const CONTENT_POLICY = `default-src 'none'; style-src ${digest(STYLE)}; script-src ${digest(SCRIPT)}; base-uri 'none'; form-action 'none'`;

/** The start of a page, up to the first statement. @param title as text */
export function pageHead(title: string): string {
  const shownTitle = escapeHtml(title);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${CONTENT_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${shownTitle}</title>
<style>${STYLE}</style>
<h1>${shownTitle}</h1>
<form hidden>
<input name="words" type="search" placeholder="Only what holds this text" aria-label="Only what holds this text">
<select name="verdict" aria-label="Verdict"><option value="">every verdict</option><option>allowed</option><option>warned</option><option>held</option><option>approved</option><option>denied</option><option>blocked</option><option>failed</option></select>
<span id="shown" aria-live="polite"></span>
</form>
<main>`;
}

/** The end of a page. @param note as text */
export function pageTail(note: string): string {
  return `</main>
<footer>${escapeHtml(note)}</footer>
<script>${SCRIPT}</script>
</html>`;
}
