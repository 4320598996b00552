import type { TrialUser } from './trial-user.js';

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:4rem auto;padding:0 1rem}' +
  'code{font-size:1.6rem;letter-spacing:.1em}' +
  'button,input{font:inherit;padding:.5rem .8rem;margin:.25rem 0;width:100%;box-sizing:border-box}';

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ESCAPES[char] as string);
}

/** A whole page; `content` is HTML already. `id` tells programs which page they got. */
function page(id: string, title: string, content: string): string {
  return (
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escapeHtml(title)}</title>` +
    `<style>${STYLE}</style><body id="${id}"><h1>${escapeHtml(title)}</h1>${content}</body></html>`
  );
}

/** @param form the provider's own form, which holds its guard against forged requests */
export function codePage(form: string, problem: boolean): string {
  const hint = problem
    ? 'That code is not known, was used, or has ended. Start again where you got it.'
    : 'Enter the code that your terminal shows.';
  return page(
    'code',
    'Log in to hoop',
    `<p>${hint}</p>${form}<button type="submit" form="op.deviceInputForm">Continue</button>`,
  );
}

export function confirmPage(form: string, code: string, client: string): string {
  return page(
    'confirm',
    'Is this your code?',
    `<p><code>${escapeHtml(code)}</code></p><p>Your terminal must show the same code. Then <b>${escapeHtml(client)}</b> there will act as you.</p>` +
      `${form}<button type="submit" form="op.deviceConfirmForm">Yes, it is mine</button>` +
      '<button type="submit" form="op.deviceConfirmForm" name="abort" value="yes">No, refuse it</button>',
  );
}

/** @param action path that the choice is posted to */
export function userPage(action: string, users: readonly TrialUser[], problem: boolean): string {
  const password = users.some((user) => user.password !== undefined)
    ? '<input type="password" name="password" placeholder="Password" autocomplete="off">'
    : '';
  const buttons = users
    .map((user) => {
      const groups = user.groups.length > 0 ? ` (${user.groups.join(', ')})` : '';
      return `<button type="submit" name="user" value="${escapeHtml(user.id)}">${escapeHtml(`${user.email}${groups}`)}</button>`;
    })
    .join('');
  return page(
    'users',
    'Who are you?',
    `${problem ? '<p>No such user, or a wrong password.</p>' : ''}<form method="post" action="${escapeHtml(action)}">${password}${buttons}` +
      '<button type="submit" name="abort" value="yes">Nobody, refuse it</button></form>',
  );
}

export function donePage(): string {
  return page('done', 'Logged in', '<p>You can close this page and go back to the terminal.</p>');
}

export function errorPage(error: string): string {
  return page('error', 'This did not work', `<p>${escapeHtml(error)}</p>`);
}
