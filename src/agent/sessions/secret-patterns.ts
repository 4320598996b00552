/**
 * Secrets that are known by the name before them, in texts of any kind: settings, JSON (also as a string within JSON, where
 * each quote has backslashes), headers, URLs, command lines. Each pattern is linear in the text.
 */

const MASK = '[redacted]';

/** Whatever stands before it (`db_`, `X-`) belongs to the name as well, and need not be read. */
const NAMES = [
  'passw(?:or)?d',
  'passphrase',
  'pwd',
  '(?:client|app|shared)[-_]?secret',
  'secret[-_]?(?:access[-_]?)?key',
  '(?:access|refresh|id|auth|session|private|bot)[-_]?token',
  'api[-_]?key',
  'x-amz-(?:signature|security-token)',
].join('|');

/** What has been taken out, what SQL or a format puts in later, and a text that ends here and goes on as another part. */
const NOT_ONE = String.raw`(?!['"]{0,8}\[redacted|%[sLI\d]|\$\d|'\s{0,8}(?:\|\||[,)])|[|>][-+\d]{0,2}\n)`;
/** A quoted value to its own quote, with as many backslashes before it; or bare, to what can't be in one. */
const VALUE = String.raw`${NOT_ONE}(?:(\\+)(["'])(?:(?!\2\3)[^\n])*\2\3|"(?:\\.|[^"\\\n])*"?|'(?:\\.|''|[^'\\\n])*'?|[^\s"',;)\]}\\]+)`;

/** `PGPASSWORD=x`, `"db_password": "x"`, `passwd: x`, `password => 'x'`, `"api_key": ["x"]`. */
const NAMED = new RegExp(String.raw`((?:${NAMES})\\*["']?\s{0,8}(?:=>|[=:])\s{0,8}\[?\s{0,8})${VALUE}`, 'gi');
/** A name that is a word of its own elsewhere: only where it is plainly a member or a setting. */
const SHORT = new RegExp(String.raw`((?:\b|_)pass(?:\\*["']\s{0,8}:|\s{0,8}=)\s{0,8})${VALUE}`, 'gi');
/** SQL within prose, whose apostrophes hide where its strings begin. */
const CLAUSE = new RegExp(String.raw`(password\s{1,8}(?:e|u&)?)${NOT_ONE}'(?:''|\\.|[^'\\\n])*'?`, 'gi');
/** `secret` and `token` alone: of a value that is long enough to be one. */
const LONG = /((?:secret|token)\\*["']?\s{0,8}[=:]\s{0,8}\\*["']?)[\w.~+/-]{16,}=*/gi;
/** The lines that are indented behind `password: |`. */
const YAML = new RegExp(String.raw`((?:${NAMES}):[ \t]{0,8}[|>][-+\d]{0,2}\n)(?:[ \t]+[^\n]*(?:\n|$))+`, 'gi');
const OPTION = new RegExp(String.raw`(--(?:[a-z]+-){0,3}(?:${NAMES}|secret|token)[ \t]+)[^\s"'-][^\s"']*`, 'gi');
/** `curl -u name:x`. */
const USER = /(\s(?:-u|--user)[ \t=]{1,8}["']?[^\s:"']{1,128}:)[^\s"']+/g;

/** `mysql -px`, where nothing stands between the option and its value. */
const MYSQL = /(\bmysql(?:dump|admin)?\b[^\n]{0,200}?\s-p)[^\s"']+/g;
/** A token in the place of a user's name, as git hosts take it. */
const USERINFO = /(:\/\/)[\w.~-]{20,}(?=@)/g;

/** To the end of its quote, where it is in one, else of its line: `Digest username="x", …` has quotes of its own. */
const SCHEMES = /(authorization\\*["']?\s{0,8}[:=]\s{0,8})(?:digest|oauth|hawk|aws4-[\w-]+)\s[^\r\n]*/gi;
const AUTHORIZATION =
  /(authorization\\*["']?\s{0,8}[:=]\s{0,8}\[?\s{0,8}\\*["']?)(?!\[?redacted)(?:(?:bearer|basic|token|negotiate|apikey)\s+)?[^\s"',;\\]+/gi;
const BEARER = /(\bbearer\s+)[A-Za-z0-9._~+/-]{8,}=*/gi;
const COOKIE = /(\bcookie\\*["']?\s{0,8}:\s{0,8}\[?\s{0,8}\\*["']?)[\w.-]{1,64}=[^"'\r\n\\]*/gi;

/** Within JSON the lines of a key end in `\n` as two characters, which no entity of plain text knows. */
const PEM = /-----BEGIN ([A-Z ]*)PRIVATE KEY-----[\s\S]*?(?:-----END \1PRIVATE KEY-----|$)/g;

/**
 * What every secret has in it that is taken out of a record, those that entities know among them. One pattern, and short:
 * it is asked of each cell of each row that is recorded.
 */
export const MAY_HOLD =
  /:\/\/|eyJ|A[KS]IA|gh[a-z]_|github_pat|\b[sr]k[-_]|AIza|xox|key|crypt|hmac|config|pass|pwd|secret|token|author|bearer|cookie|---|\s-u\s|--u|mysql|x-amz/i;

/** The same text without the secrets that their names give away; JSON stays JSON. */
export function withoutNamedSecrets(text: string): string {
  return text
    .replace(PEM, '[private-key]')
    .replace(YAML, `$1  ${MASK}\n`)
    .replace(NAMED, masked)
    .replace(SHORT, masked)
    .replace(CLAUSE, `$1'${MASK}'`)
    .replace(SCHEMES, `$1${MASK}`)
    .replace(AUTHORIZATION, `$1${MASK}`)
    .replace(BEARER, `$1${MASK}`)
    .replace(COOKIE, `$1${MASK}`)
    .replace(LONG, `$1${MASK}`)
    .replace(OPTION, `$1${MASK}`)
    .replace(USER, `$1${MASK}`)
    .replace(MYSQL, `$1${MASK}`)
    .replace(USERINFO, `$1${MASK}`);
}

/** In the value's own quotes, where it has some. */
function masked(found: string, name: string, slashes: string | undefined, quote: string | undefined): string {
  if (slashes !== undefined && quote !== undefined) return `${name}${slashes}${quote}${MASK}${slashes}${quote}`;
  const first = found.charAt(name.length);
  return first === '"' || first === "'" ? `${name}${first}${MASK}${first}` : `${name}${MASK}`;
}
