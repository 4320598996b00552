import type { RowEvent } from '../../../policy/types.js';
import type { Effect } from './effects.js';
import { identityChange } from './data-statements.js';
import { EMPTY, flagAt, inside, isNode, itemsOf, listAt, namesIn, nodeAt, tagged, textAt } from './tree.js';
import type { TreeNode } from './tree.js';
import { relationsAt } from './walk.js';
import type { Handler, Place, Walk } from './walk.js';

/** CREATE, ALTER, DROP, GRANT and what else defines or guards objects. */

/** A statement whose effects never vary; `writes` names the fields of the relations it changes. */
function fixed(effects: readonly Effect[], ...writes: readonly string[]): Handler {
  return (walk, node, place) => {
    walk.effect(place, ...effects);
    for (const field of writes) for (const relation of relationsAt(node, field)) walk.writes(relation, place);
    walk.below(node, place, writes);
  };
}

/** Does one thing more than a fixed statement. */
function also(handler: Handler, more: Handler): Handler {
  return (walk, node, place) => {
    handler(walk, node, place);
    more(walk, node, place);
  };
}

/** What the statement holds runs some other time: it reads no big table now. */
function later(handler: Handler): Handler {
  return (walk, node, place) => {
    handler(walk, node, { ...place, bounded: true });
  };
}

const CREATE = fixed(['create']);
const ALTER = fixed(['alter']);
const OUTBOUND_CREATE = also(fixed(['outbound', 'create']), foreignOptions);
const OUTBOUND_ALTER = also(fixed(['outbound', 'alter']), foreignOptions);

export const DEFINITION_HANDLERS: Readonly<Record<string, Handler>> = {
  CreateStmt: fixed(['create'], 'relation'),
  IndexStmt: fixed(['create'], 'relation'),
  ViewStmt: later(fixed(['create'], 'view')),
  CreateSeqStmt: fixed(['create'], 'sequence'),
  CompositeTypeStmt: fixed(['create'], 'typevar'),
  CreatePolicyStmt: fixed(['create'], 'table'),
  CreateTableAsStmt: createTableAs,
  CreateEnumStmt: CREATE,
  CreateRangeStmt: also(CREATE, definedFunctions),
  CreateDomainStmt: CREATE,
  CreateSchemaStmt: also(CREATE, (walk, node, place) => {
    if (node['authrole'] !== undefined) walk.effect(place, 'owner');
  }),
  CreatedbStmt: CREATE,
  CreateStatsStmt: CREATE,
  CreateOpFamilyStmt: CREATE,
  CreatePublicationStmt: CREATE,
  CreateTableSpaceStmt: fixed(['create', 'server-file']),
  CreateExtensionStmt: fixed(['extension', 'create']),
  CreatePLangStmt: fixed(['extension', 'create']),
  CreateAmStmt: also(fixed(['extension', 'create']), (walk, node) => made(walk, listAt(node, 'handler_name'))),
  CreateFdwStmt: also(fixed(['outbound', 'extension', 'create']), foreignOptions),
  CreateForeignServerStmt: OUTBOUND_CREATE,
  CreateForeignTableStmt: createForeignTable,
  CreateUserMappingStmt: OUTBOUND_CREATE,
  ImportForeignSchemaStmt: OUTBOUND_CREATE,
  CreateSubscriptionStmt: OUTBOUND_CREATE,
  CreateRoleStmt: fixed(['role-admin', 'create']),
  CreateTrigStmt: also(fixed(['stored-code', 'create'], 'relation'), (walk, node) =>
    made(walk, listAt(node, 'funcname')),
  ),
  CreateEventTrigStmt: also(fixed(['stored-code', 'create']), (walk, node) => made(walk, listAt(node, 'funcname'))),
  RuleStmt: later(fixed(['stored-code', 'create'], 'relation')),
  CreateOpClassStmt: also(fixed(['stored-code', 'create']), (walk, node) => {
    for (const item of listAt(node, 'items')) madeOf(walk, nodeAt(inside(item, 'CreateOpClassItem') ?? EMPTY, 'name'));
  }),
  CreateConversionStmt: also(fixed(['stored-code', 'create']), (walk, node) => made(walk, listAt(node, 'func_name'))),
  CreateCastStmt: also(fixed(['stored-code', 'create']), (walk, node) => madeOf(walk, nodeAt(node, 'func'))),
  CreateTransformStmt: also(fixed(['stored-code', 'create']), (walk, node) => {
    madeOf(walk, nodeAt(node, 'fromsql'));
    madeOf(walk, nodeAt(node, 'tosql'));
  }),
  DefineStmt: define,

  AlterTableStmt: alterTable,
  PartitionCmd: fixed([], 'name'),
  AlterSeqStmt: fixed(['alter'], 'sequence'),
  AlterPolicyStmt: fixed(['alter'], 'table'),
  AlterObjectDependsStmt: fixed(['alter'], 'relation'),
  AlterOwnerStmt: fixed(['owner', 'alter'], 'relation'),
  AlterDomainStmt: also(ALTER, (walk, node, place) => {
    if (textAt(node, 'subtype') === 'X') walk.effect(place, 'drop');
  }),
  AlterOpFamilyStmt: also(ALTER, (walk, node, place) => {
    if (flagAt(node, 'isDrop')) walk.effect(place, 'drop');
  }),
  AlterEnumStmt: ALTER,
  AlterTypeStmt: also(ALTER, definedFunctions),
  AlterCollationStmt: ALTER,
  AlterOperatorStmt: also(ALTER, definedFunctions),
  AlterStatsStmt: ALTER,
  AlterEventTrigStmt: ALTER,
  AlterTSDictionaryStmt: ALTER,
  AlterTSConfigurationStmt: ALTER,
  AlterDatabaseStmt: ALTER,
  AlterDatabaseRefreshCollStmt: ALTER,
  AlterTableSpaceOptionsStmt: ALTER,
  AlterTableMoveAllStmt: ALTER,
  AlterPublicationStmt: ALTER,
  SecLabelStmt: ALTER,
  ReplicaIdentityStmt: ALTER,
  AlterExtensionStmt: fixed(['extension', 'alter']),
  AlterExtensionContentsStmt: fixed(['extension', 'alter']),
  AlterFdwStmt: also(fixed(['outbound', 'extension', 'alter']), foreignOptions),
  AlterForeignServerStmt: OUTBOUND_ALTER,
  AlterUserMappingStmt: OUTBOUND_ALTER,
  AlterSubscriptionStmt: OUTBOUND_ALTER,
  AlterRoleStmt: fixed(['role-admin', 'alter']),
  AlterRoleSetStmt: configure(['server-config', 'role-admin', 'alter']),
  AlterDatabaseSetStmt: configure(['server-config', 'alter']),
  AlterSystemStmt: configure(['server-config']),

  DropStmt: drop,
  DropOwnedStmt: fixed(['drop']),
  DropdbStmt: fixed(['drop']),
  DropTableSpaceStmt: fixed(['drop']),
  DropUserMappingStmt: fixed(['drop']),
  DropRoleStmt: fixed(['role-admin', 'drop']),
  DropSubscriptionStmt: fixed(['outbound', 'drop']),
  TruncateStmt: (walk, node, place) => {
    walk.effect(place, 'truncate');
    const cascades = textAt(node, 'behavior') === 'DROP_CASCADE';
    for (const relation of relationsAt(node, 'relations'))
      walk.writes(relation, place, cascades ? ['truncate', 'truncate-cascade'] : ['truncate']);
  },

  GrantStmt: grant,
  GrantRoleStmt: grant,
  AlterDefaultPrivilegesStmt: (walk, node, place) => {
    walk.effect(place, 'alter');
    grant(walk, nodeAt(node, 'action') ?? EMPTY, place);
  },
  ReassignOwnedStmt: fixed(['owner']),
  CommentStmt: fixed(['comment']),
};

function createTableAs(walk: Walk, node: TreeNode, place: Place): void {
  walk.effect(place, 'create');
  const into = nodeAt(nodeAt(node, 'into') ?? EMPTY, 'rel');
  if (into !== undefined) walk.writes(into, place);
  walk.below(node, place, ['into']);
}

function createForeignTable(walk: Walk, node: TreeNode, place: Place): void {
  walk.effect(place, 'outbound', 'create');
  foreignOptions(walk, node, place);
  const base = nodeAt(node, 'base') ?? EMPTY;
  for (const relation of relationsAt(base, 'relation')) walk.writes(relation, place);
  walk.below(base, place, ['relation']);
  walk.below(node, place, ['base']);
}

const ROW_BY_ROW: ReadonlySet<string> = new Set([
  ...['AT_AddConstraint', 'AT_ValidateConstraint', 'AT_AddColumn', 'AT_AlterColumnType', 'AT_SetExpression'],
  ...['AT_AttachPartition', 'AT_AddIndex', 'AT_SetNotNull'],
]);

function alterTable(walk: Walk, node: TreeNode, place: Place): void {
  walk.effect(place, 'alter');
  if (textAt(node, 'objtype') === 'OBJECT_FOREIGN_TABLE') walk.effect(place, 'outbound');
  const events = new Set<RowEvent>();
  for (const item of listAt(node, 'cmds')) {
    const command = inside(item, 'AlterTableCmd') ?? EMPTY;
    const kind = textAt(command, 'subtype');
    if (kind === 'AT_DropColumn' || kind === 'AT_DropConstraint') walk.effect(place, 'drop');
    if (kind === 'AT_ChangeOwner') walk.effect(place, 'owner');
    // Its rows are gone through, by checks and by new types and expressions.
    if (ROW_BY_ROW.has(kind)) events.add('check');
    if (kind.startsWith('AT_DetachPartition')) events.add('detach');
    if (kind === 'AT_GenericOptions') foreignOptions(walk, { options: itemsOf(command['def']) }, place);
  }
  for (const relation of relationsAt(node, 'relation')) walk.writes(relation, place, [...events]);
  walk.below(node, place, ['relation']);
}

/** Kinds whose name is the last of the list, after the table's: DROP TRIGGER x ON table. */
const ON_TABLE: ReadonlySet<string> = new Set(['OBJECT_TRIGGER', 'OBJECT_RULE', 'OBJECT_POLICY']);
const RELATIONS: ReadonlySet<string> = new Set([
  'OBJECT_TABLE',
  'OBJECT_VIEW',
  'OBJECT_MATVIEW',
  'OBJECT_INDEX',
  'OBJECT_SEQUENCE',
  'OBJECT_FOREIGN_TABLE',
]);

function drop(walk: Walk, node: TreeNode, place: Place): void {
  walk.effect(place, 'drop');
  const kind = textAt(node, 'removeType');
  if (!ON_TABLE.has(kind) && !RELATIONS.has(kind)) return;
  for (const item of listAt(node, 'objects')) {
    const names = namesIn(itemsOf(item));
    const relation = ON_TABLE.has(kind) ? names.slice(0, -1) : names;
    walk.writes({ schemaname: relation.at(-2) ?? '', relname: relation.at(-1) ?? '' }, place);
  }
}

function grant(walk: Walk, node: TreeNode, place: Place): void {
  walk.effect(place, flagAt(node, 'is_grant') ? 'grant' : 'revoke');
  if (textAt(node, 'objtype') !== 'OBJECT_TABLE' && textAt(node, 'objtype') !== 'OBJECT_SEQUENCE') return;
  for (const relation of relationsAt(node, 'objects')) walk.writes(relation, place);
}

/** ALTER SYSTEM, ROLE and DATABASE … SET change later sessions, not this one. */
function configure(effects: readonly Effect[]): Handler {
  return (walk, node, place) => {
    walk.effect(place, ...effects);
    const change = nodeAt(node, 'setstmt');
    if (change !== undefined) identityChange(walk, textAt(change, 'name').toLowerCase());
  };
}

const CODE_KINDS: ReadonlySet<string> = new Set(['OBJECT_AGGREGATE', 'OBJECT_OPERATOR', 'OBJECT_TYPE']);

function define(walk: Walk, node: TreeNode, place: Place): void {
  walk.effect(place, 'create');
  if (CODE_KINDS.has(textAt(node, 'kind')) && listAt(node, 'definition').length > 0) walk.effect(place, 'stored-code');
  definedFunctions(walk, node);
  walk.below(node, place);
}

/** Settings of a definition that name a function; the others name types and values. */
const FUNCTION_SETTINGS: ReadonlySet<string> = new Set([
  ...['sfunc', 'finalfunc', 'combinefunc', 'serialfunc', 'deserialfunc', 'msfunc', 'minvfunc', 'mfinalfunc', 'sfunc1'],
  ...['procedure', 'function', 'restrict', 'join', 'input', 'output', 'receive', 'send', 'typmod_in', 'typmod_out'],
  ...[
    'analyze',
    'subscript',
    'subtype_diff',
    'canonical',
    'support',
    'start',
    'gettoken',
    'end',
    'lextypes',
    'headline',
    'init',
    'lexize',
  ],
]);

function definedFunctions(walk: Walk, node: TreeNode): void {
  for (const field of ['definition', 'params', 'options']) {
    for (const item of listAt(node, field)) {
      const setting = inside(item, 'DefElem') ?? EMPTY;
      if (!FUNCTION_SETTINGS.has(textAt(setting, 'defname').toLowerCase())) continue;
      const named = tagged(setting['arg']);
      if (named?.type === 'TypeName') made(walk, listAt(named.node, 'names'));
      else if (named?.type === 'String') walk.calls([textAt(named.node, 'sval')], undefined);
      else made(walk, itemsOf(setting['arg']));
    }
  }
}

/** A function made callable under another name, or by an event. */
function made(walk: Walk, names: readonly unknown[]): void {
  const name = namesIn(names);
  if (name.length > 0) walk.calls(name, undefined);
}

function madeOf(walk: Walk, withArgs: TreeNode | undefined): void {
  if (withArgs !== undefined) made(walk, listAt(withArgs, 'objname'));
}

/** file_fdw reads files and runs programs of the server; its options say which. */
function foreignOptions(walk: Walk, node: TreeNode, place: Place): void {
  if (/file/.test(textAt(node, 'fdwname'))) walk.effect(place, 'server-file');
  for (const item of listAt(node, 'options')) {
    const option = inside(item, 'DefElem') ?? EMPTY;
    if (!isNode(option['arg'])) continue;
    if (textAt(option, 'defname') === 'filename') walk.effect(place, 'server-file');
    if (textAt(option, 'defname') === 'program') walk.effect(place, 'server-program');
  }
}
