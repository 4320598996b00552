// The import rules, made from rooms.mjs: one rule per room that names all it may import, so that anything else,
// also what is added tomorrow, is refused with the room's reason.
import { ROOMS } from './rooms.mjs';

const escape = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

/** The files that belong to a room, as a pattern. */
export const filesOf = (room) => room.files ?? `^src/${escape(room.name)}/`;

/** `core`, `protocols/http` → everything below the room; `policy/types` → that file; `protocols/*` → the rooms below; `*` → all of src. */
function targetOf(name) {
  if (name === '*') return '^src/';
  if (name.endsWith('/*')) return `^src/${escape(name.slice(0, -2))}/`;
  if (name.includes('/') && !ROOMS.some((room) => room.name === name)) return `^src/${escape(name)}\\.ts$`;
  return `^src/${escape(name)}/`;
}

/** The package itself or its types. */
const packageTarget = (name) => `(^|/)node_modules/(@types/)?${escape(name)}/`;

function roomRule(room) {
  const allowed = [filesOf(room), ...room.rooms.map(targetOf), ...room.packages.map(packageTarget)];
  return {
    name: `room-${room.name.replaceAll('/', '-')}`,
    comment: room.because,
    severity: 'error',
    from: { path: filesOf(room) },
    to: { pathNot: allowed, ...(room.node ? { dependencyTypesNot: ['core'] } : {}) },
  };
}

/** A package that only some files of its room may touch. */
function fileRules(room) {
  return Object.entries(room.only ?? {}).map(([name, files]) => ({
    name: `room-${room.name.replaceAll('/', '-')}-only-${name.replace(/^@.*\//, '')}`,
    comment: `${name} is reached through src/${room.name}/${files.replace(/[()]/g, '')} alone, so that it can be replaced there`,
    severity: 'error',
    from: { path: filesOf(room), pathNot: `^src/${escape(room.name)}/${files}[^/]*(\\.ts$|/)` },
    to: { path: packageTarget(name) },
  }));
}

/** Folders of a room that stand one below the other. */
function insideRules(room) {
  const own = `^src/${escape(room.name)}/`;
  return Object.entries(room.inside ?? {}).map(([folder, others]) => ({
    name: `room-${room.name.replaceAll('/', '-')}-inside-${folder}`,
    comment: `of the room's folders ${folder} may use ${others.length === 0 ? 'none' : others.join(', ')}: what stands below is understood without what stands above`,
    severity: 'error',
    from: { path: `${own}${folder}/` },
    to: { path: `${own}[^/]+/`, pathNot: `${own}(${[folder, ...others].join('|')})/` },
  }));
}

const general = [
  {
    name: 'no-circular',
    comment: 'in a circle no part can be read, tested or moved alone',
    severity: 'error',
    from: {},
    to: { circular: true },
  },
  {
    name: 'no-unresolvable',
    comment: 'what cannot be found on this machine will not be found on a user’s',
    severity: 'error',
    from: {},
    to: { couldNotResolve: true },
  },
  {
    name: 'no-development-packages',
    comment: 'development packages are not installed where hoop runs',
    severity: 'error',
    from: { path: '^(src|commands|bin)/' },
    to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], pathNot: '/@types/' },
  },
];

export default {
  forbidden: [...general, ...ROOMS.map(roomRule), ...ROOMS.flatMap(fileRules), ...ROOMS.flatMap(insideRules)],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
