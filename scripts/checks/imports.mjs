// Holds every import in bin, commands and src against the table in rooms.mjs.
import { fileURLToPath } from 'node:url';
import { cruise } from 'dependency-cruiser';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';
import config, { filesOf } from './dependency-cruiser.config.mjs';
import { ROOMS } from './rooms.mjs';

const rooms = ROOMS.map((room) => new RegExp(filesOf(room)));

/** A file outside of every room is bound by no rule, so it may not exist. */
function roomless(modules) {
  return modules
    .map((module) => module.source)
    .filter((source) => /^(src|commands|bin)\//.test(source) && !source.endsWith('.d.ts'))
    .filter((source) => !rooms.some((files) => files.test(source)))
    .map((source) => ({
      rule: 'every-file-has-a-room',
      from: source,
      to: source,
      reason:
        'a file outside of every room is bound by no rule: move it, or add a room to scripts/checks/rooms.mjs with its reason',
    }));
}

/**
 * @param root folder that holds bin, commands and src, and node_modules beside them
 * @returns one entry per import that breaks a rule: `{ rule, from, to, reason }`
 */
export async function brokenImports(root) {
  const { ruleSet, options } = { ruleSet: { forbidden: config.forbidden }, options: config.options };
  const cruised = await cruise(
    ['bin', 'commands', 'src'],
    { ...options, baseDir: root, ruleSet, validate: true, outputType: 'json' },
    options.enhancedResolveOptions,
    { tsConfig: extractTSConfig(fileURLToPath(new URL('../../tsconfig.json', import.meta.url))) },
  );
  const { modules, summary } = JSON.parse(cruised.output);
  const reasons = new Map(config.forbidden.map((rule) => [rule.name, rule.comment]));
  const broken = summary.violations.map((violation) => ({
    rule: violation.rule.name,
    from: violation.from,
    to: violation.to,
    reason: reasons.get(violation.rule.name) ?? '',
  }));
  return [...broken, ...roomless(modules)];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const broken = await brokenImports(fileURLToPath(new URL('../..', import.meta.url)));
  for (const { rule, from, to, reason } of broken) console.error(`${from} → ${to}\n  ${rule}: ${reason}`);
  process.exitCode = broken.length === 0 ? 0 : 1;
}
