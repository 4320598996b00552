/**
 * The one table of everything that can go wrong for a user: code, exit status, what to do.
 *
 * Pure rooms return a `Fault`; edges throw a `HoopError`; commands never format one themselves.
 */

/** Exit statuses of the CLI. They are a public interface: scripts branch on them. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  notLoggedIn: 3,
  noAccess: 4,
  blocked: 5,
  denied: 6,
  approvalTimeout: 7,
  unreachable: 8,
} as const;

interface ErrorRow {
  readonly exit: number;
  /** Why it fails as a rule; one line, told where the place of the failure knows no more. */
  readonly why: string;
  /** What the reader can do about it; one line. */
  readonly suggestion: string;
}

/** Add a row here, and nowhere else, when something new can go wrong. */
export const ERRORS = {
  failed: {
    exit: EXIT.failed,
    why: 'hoop knows no more than that',
    suggestion: 'run the command again; `hoop --help` lists what is possible',
  },
  usage: {
    exit: EXIT.usage,
    why: 'what was typed is not taken in this form',
    suggestion: 'run the command with --help',
  },
  config_invalid: {
    exit: EXIT.failed,
    why: 'a file does not hold what it should',
    suggestion: 'correct the file at the place named, then start again',
  },
  config_missing: {
    exit: EXIT.usage,
    why: 'neither flag, environment nor profile names one',
    suggestion: 'name the agent with --agent URL or HOOP_AGENT_URL, or run `hoop login AGENT_URL`',
  },
  not_logged_in: { exit: EXIT.notLoggedIn, why: 'there is no login to use', suggestion: 'run `hoop login`' },
  token_refused: {
    exit: EXIT.notLoggedIn,
    why: 'the agent takes tokens of its identity providers alone, in their time',
    suggestion: 'run `hoop login` again',
  },
  login_denied: {
    exit: EXIT.notLoggedIn,
    why: 'the identity provider or the person there refused it',
    suggestion: 'ask who runs the identity provider, then run `hoop login` again',
  },
  login_expired: {
    exit: EXIT.notLoggedIn,
    why: 'nobody confirmed the code',
    suggestion: 'run `hoop login` again and confirm the code in time',
  },
  no_access: {
    exit: EXIT.noAccess,
    why: 'there is none of that name that you may use',
    suggestion: '`hoop connections` lists what you may use',
  },
  access_needed: {
    exit: EXIT.noAccess,
    why: 'the connection asks for approval before it is used',
    suggestion: 'ask for access with `hoop request CONNECTION --duration 1h --reason TEXT`',
  },
  blocked: {
    exit: EXIT.blocked,
    why: 'a rule in force says so',
    suggestion: 'change the statement, or ask who keeps the policy named',
  },
  approval_denied: {
    exit: EXIT.denied,
    why: 'a reviewer decided so',
    suggestion: 'read the reason; change the statement or ask the reviewer',
  },
  approval_timeout: {
    exit: EXIT.approvalTimeout,
    why: 'no reviewer decided before the wait was over',
    suggestion: 'ask a reviewer to run `hoop approve`, then try again',
  },
  unreachable: {
    exit: EXIT.unreachable,
    why: 'nothing answered at its address',
    suggestion: 'check that the agent runs and that its address is right',
  },
  upstream_unreachable: {
    exit: EXIT.unreachable,
    why: 'the agent did not reach the server behind the connection',
    suggestion: 'check the address of the connection on the agent and that the server runs',
  },
  upstream_auth: {
    exit: EXIT.unreachable,
    why: 'the server refused the credential that the agent keeps for it',
    suggestion: 'check the stored credential of the connection on the agent',
  },
  port_taken: {
    exit: EXIT.failed,
    why: 'another program listens there',
    suggestion: 'end the program that holds the port, or choose another with --port',
  },
  already_decided: {
    exit: EXIT.failed,
    why: 'somebody was faster',
    suggestion: '`hoop requests --all` shows what was decided',
  },
  not_found: {
    exit: EXIT.failed,
    why: 'there is none of that name or id that you may see',
    suggestion: 'check the name or id',
  },
  not_allowed: {
    exit: EXIT.noAccess,
    why: 'it takes a right that you do not have',
    suggestion: 'ask someone who has the right',
  },
  verify_failed: {
    exit: EXIT.failed,
    why: 'a recording is not what was sealed',
    suggestion: 'keep the files as they are and tell whoever is responsible for the audit trail',
  },
  tests_failed: {
    exit: EXIT.failed,
    why: 'a verdict is not the one that was expected',
    suggestion: 'correct the policy, or what its test expects',
  },
  verdicts_differ: {
    exit: EXIT.failed,
    why: 'the changed files judge otherwise than those in force did',
    suggestion: 'read what differs; change the policy, or accept it',
  },
  limit: {
    exit: EXIT.failed,
    why: 'it is larger than the agent or hoop takes',
    suggestion: 'make it smaller, or ask who runs the agent to raise the limit named',
  },
  protocol: {
    exit: EXIT.failed,
    why: 'the other side answered in another way than the protocol allows',
    suggestion: 'check that both ends speak the protocol of the connection',
  },
  recording_failed: {
    exit: EXIT.failed,
    why: 'what can not be recorded is not forwarded',
    suggestion: 'whoever runs the agent must make the recordings folder writable',
  },
  sql: { exit: EXIT.failed, why: 'the database refused it', suggestion: 'correct the statement' },
  http: { exit: EXIT.failed, why: 'the server refused it', suggestion: 'correct the request' },
  not_in_version: {
    exit: EXIT.usage,
    why: 'it is planned, and not built yet',
    suggestion: 'see the README for what this version holds',
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

/** A failure as a value, for pure code. `message` is a lower-case fragment without the user's data. */
export interface Fault {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Is this the fault of something that gives a fault or a value? */
export function isFault(value: unknown): value is Fault {
  return typeof value === 'object' && value !== null && 'code' in value && 'message' in value;
}

export interface HoopErrorOptions {
  /** Why, one line; shown under the message. */
  readonly why?: string;
  /** Replaces the table's suggestion where the edge knows better. */
  readonly suggestion?: string;
  readonly cause?: unknown;
}

/** A failure at an edge: one line what, one line why, one line what to do. */
export class HoopError extends Error {
  readonly code: ErrorCode;
  readonly why: string | undefined;
  readonly suggestion: string;

  constructor(code: ErrorCode, message: string, options: HoopErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HoopError';
    this.code = code;
    this.why = options.why;
    this.suggestion = options.suggestion ?? ERRORS[code].suggestion;
  }

  /** The process's exit status for this error. */
  get exitStatus(): number {
    return ERRORS[this.code].exit;
  }

  static fromFault(fault: Fault): HoopError {
    return new HoopError(fault.code, fault.message);
  }
}

/** Any thrown thing as one line of text, for logs and `why`. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
