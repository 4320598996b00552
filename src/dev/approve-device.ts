const MAX_STEPS = 20;

/** What a person would do on the provider's pages. */
export type DeviceAnswer = { readonly user: string; readonly password?: string } | { readonly refuse: true };

/**
 * Confirms a login at the trial provider as a person in a browser would, by plain HTTP: one by device flow, or one by
 * redirect, back to the page of `hoop login --web`.
 *
 * @param verificationUriComplete the link that `hoop login` shows
 * @param userId who to be
 * @throws Error where the provider shows something else than expected
 */
export async function approveDevice(verificationUriComplete: string, userId: string, password?: string): Promise<void> {
  await answerDevice(verificationUriComplete, { user: userId, ...(password === undefined ? {} : { password }) });
}

/** Refuses a login at the trial provider. */
export async function refuseDevice(verificationUriComplete: string): Promise<void> {
  await answerDevice(verificationUriComplete, { refuse: true });
}

async function answerDevice(link: string, answer: DeviceAnswer): Promise<void> {
  const cookies = new Map<string, string>();
  let url = link;
  let form: URLSearchParams | undefined;
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const response = await send(url, form, cookies);
    const location = response.headers.get('location');
    if (location !== null) {
      await response.body?.cancel();
      [url, form] = [new URL(location, url).href, undefined];
      continue;
    }
    const html = await response.text();
    const id = /<body id="(\w+)"/.exec(html)?.[1];
    if (id === 'done') return;
    if ('refuse' in answer && step > 0 && (id === 'code' || id === 'failed')) return;
    const next = fillIn(html, id, answer);
    if (next === undefined)
      throw new Error(`the identity provider shows an unexpected page (status ${response.status}, ${id ?? 'no'} page)`);
    [url, form] = [new URL(next.action, url).href, next.fields];
  }
  throw new Error('the identity provider leads in a circle');
}

/** The page's form with its hidden fields, and what a person would add; undefined where there is none to fill in. */
function fillIn(
  html: string,
  id: string | undefined,
  answer: DeviceAnswer,
): { readonly action: string; readonly fields: URLSearchParams } | undefined {
  const action = /<form[^>]* action="([^"]*)"/.exec(html)?.[1];
  if (action === undefined || id === 'error') return undefined;
  const fields = new URLSearchParams();
  for (const [input] of html.matchAll(/<input type="hidden"[^>]*>/g)) {
    fields.set(/ name="([^"]*)"/.exec(input)?.[1] ?? '', / value="([^"]*)"/.exec(input)?.[1] ?? '');
  }
  if ('refuse' in answer) {
    if (id === 'confirm' || id === 'users') fields.set('abort', 'yes');
  } else if (id === 'users') {
    fields.set('user', answer.user);
    if (answer.password !== undefined) fields.set('password', answer.password);
  }
  return { action, fields };
}

async function send(url: string, form: URLSearchParams | undefined, cookies: Map<string, string>): Promise<Response> {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const response = await fetch(url, {
    redirect: 'manual',
    headers: cookie === '' ? {} : { cookie },
    ...(form === undefined ? {} : { method: 'POST', body: form }),
  });
  for (const line of response.headers.getSetCookie()) {
    const [name = '', value = ''] = (line.split(';')[0] ?? '').split(/=(.*)/s);
    if (value === '') cookies.delete(name);
    else cookies.set(name, value);
  }
  return response;
}
