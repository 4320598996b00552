import type { Effect } from './effects.js';
import { identityChange, settingChange } from './data-statements.js';
import { EMPTY, flagAt, inside, listAt, literalIn, nodeAt, textAt } from './tree.js';
import type { TreeNode } from './tree.js';
import type { Handler, Place, Walk } from './walk.js';

/** What steers a session: transactions, settings, prepared statements, cursors, EXPLAIN, upkeep. */
export const SESSION_HANDLERS: Readonly<Record<string, Handler>> = {
  VariableSetStmt: variableSet,
  VariableShowStmt: plain('other'),
  TransactionStmt: transaction,
  ConstraintsSetStmt: plain('set'),
  DiscardStmt: discard,
  PrepareStmt: prepare,
  ExecuteStmt: execute,
  DeallocateStmt: deallocate,
  DeclareCursorStmt: cursor,
  FetchStmt: plain('cursor'),
  ClosePortalStmt: cursor,
  ExplainStmt: explain,
  CallStmt: plain('call'),
  NotifyStmt: plain('notify'),
  ListenStmt: plain('listen'),
  UnlistenStmt: plain('listen'),
  LockStmt: plain('lock'),
  LoadStmt: plain('extension', 'server-file'),
  CheckPointStmt: plain('other'),
  VacuumStmt: plain('vacuum'),
  ClusterStmt: plain('vacuum'),
  ReindexStmt: plain('vacuum'),
  RefreshMatViewStmt: (walk, node, place) => {
    walk.effect(place, 'refresh');
    const view = nodeAt(node, 'relation');
    if (view !== undefined) walk.writes(view, place, ['refresh']);
  },
};

function plain(...effects: readonly Effect[]): Handler {
  return (walk, node, place) => {
    walk.effect(place, ...effects);
    walk.below(node, place);
  };
}

function cursor(walk: Walk, node: TreeNode, place: Place): void {
  if (place.inBody) walk.findings.uses.cursors();
  walk.effect(place, 'cursor');
  walk.below(node, place);
}

function variableSet(walk: Walk, node: TreeNode, place: Place): void {
  walk.effect(place, 'set');
  const kind = textAt(node, 'kind');
  const name = textAt(node, 'name').toLowerCase();
  if (kind === 'VAR_SET_MULTI') return walk.below(node, place);
  const local = flagAt(node, 'is_local') ? { local: true as const } : {};
  if (kind === 'VAR_RESET_ALL') {
    walk.findings.settings.push({ name: undefined, value: undefined });
  } else if (kind === 'VAR_RESET' || kind === 'VAR_SET_DEFAULT') {
    // Back to what the session started with: no new identity. To the server both are one; Npgsql begins the message by
    // which it cleans a session for its pool with SET SESSION AUTHORIZATION DEFAULT.
    walk.findings.settings.push({ name, value: undefined, reset: true, ...local });
  } else if (kind === 'VAR_SET_VALUE') {
    const values = settingValues(node);
    settingChange(walk, { name, value: values?.join(', '), ...listed(name, values), ...local });
  } else {
    settingChange(walk, { name, value: undefined, ...local });
  }
}

/** Only the search path is a list that sessions have to know. */
function listed(name: string, list: readonly string[] | undefined): { readonly list?: readonly string[] } {
  return name === 'search_path' && list !== undefined ? { list } : {};
}

function settingValues(node: TreeNode): readonly string[] | undefined {
  const values = listAt(node, 'args').map((arg) => literalIn(arg)?.value);
  return values.some((value) => value === undefined || value === null) ? undefined : values.map(String);
}

/** A SET clause of a function holds while that runs; it says nothing of this session. */
export function functionSetting(walk: Walk, change: TreeNode): void {
  const name = textAt(change, 'name').toLowerCase();
  identityChange(walk, name);
  // The body would be read by other rules of quoting than here.
  if (name === 'standard_conforming_strings') walk.findings.opaque('a body under other rules of quoting');
}

const TRANSACTION_EFFECTS: Readonly<Record<string, Effect>> = {
  TRANS_STMT_BEGIN: 'begin',
  TRANS_STMT_START: 'begin',
  TRANS_STMT_COMMIT: 'commit',
  TRANS_STMT_PREPARE: 'commit',
  TRANS_STMT_COMMIT_PREPARED: 'commit',
  TRANS_STMT_ROLLBACK: 'rollback',
  TRANS_STMT_ROLLBACK_TO: 'rollback',
  TRANS_STMT_ROLLBACK_PREPARED: 'rollback',
};

function transaction(walk: Walk, node: TreeNode, place: Place): void {
  walk.effect(place, TRANSACTION_EFFECTS[textAt(node, 'kind')] ?? 'other');
}

function discard(walk: Walk, node: TreeNode, place: Place): void {
  walk.effect(place, 'discard');
  if (textAt(node, 'target') !== 'DISCARD_ALL') return;
  forgetting(walk, place);
  walk.findings.deallocatesAll = true;
  walk.findings.settings.push({ name: undefined, value: undefined });
}

function prepare(walk: Walk, node: TreeNode, place: Place): void {
  forgetting(walk, place);
  const part = walk.fork();
  part.visit(node['query'], place);
  walk.effect(place, 'prepare');
  walk.findings.absorb(part.findings);
  for (const name of part.findings.executes) walk.findings.executes.add(name);
  part.findings.statements = 1;
  if (!place.inBody) walk.findings.prepared.push({ name: textAt(node, 'name'), findings: part.findings });
}

function execute(walk: Walk, node: TreeNode, place: Place): void {
  walk.effect(place, 'execute');
  if (place.inBody) walk.findings.opaque('EXECUTE of a prepared statement in a body');
  // Below a plain EXPLAIN nothing of it runs.
  else if (place.executes) walk.findings.executes.add(textAt(node, 'name'));
  walk.below(node, place);
}

function deallocate(walk: Walk, node: TreeNode, place: Place): void {
  walk.effect(place, 'deallocate');
  forgetting(walk, place);
  const name = textAt(node, 'name');
  if (flagAt(node, 'isall') || name === '') walk.findings.deallocatesAll = true;
  else walk.findings.deallocates.add(name);
}

/** What a body prepares or forgets can't be followed by who watches the session's texts. */
function forgetting(walk: Walk, place: Place): void {
  if (place.inBody) walk.findings.opaque('prepared statements changed in a body');
}

function explain(walk: Walk, node: TreeNode, place: Place): void {
  walk.effect(place, 'explain');
  walk.below(node, { ...place, executes: place.executes && listAt(node, 'options').some(isAnalyze) });
}

/** In doubt it runs: only a value that PostgreSQL takes for false counts as false. */
function isAnalyze(item: unknown): boolean {
  const option = inside(item, 'DefElem') ?? EMPTY;
  if (textAt(option, 'defname').toLowerCase() !== 'analyze') return false;
  const value = option['arg'];
  const word = textAt(inside(value, 'String') ?? EMPTY, 'sval').toLowerCase();
  const number = inside(value, 'Integer');
  return !(word === 'false' || word === 'off' || (number !== undefined && (number['ival'] ?? 0) === 0));
}
