// Holds the table of docs/architecture.md against rooms.mjs, so that what is read is what is enforced.
import { readFileSync } from 'node:fs';
import { cell, holdPage, replaceMarked } from './generated.mjs';
import { ROOMS } from './rooms.mjs';

const code = (name) => `\`${name}\``;

function packageNote(room, name) {
  const files = room.only?.[name];
  return files === undefined ? name : `${name} (in ${code(`${files.replace(/[()]/g, '').replaceAll('|', '*`, `')}*`)})`;
}

function row(room) {
  const rooms = room.rooms.includes('*') ? ['all of `src`'] : room.rooms.map(code);
  const packages = room.packages.map((name) => packageNote(room, name));
  const imports = [...rooms, ...packages, ...(room.node ? ['Node'] : [])].join(', ');
  return `| ${code(room.name)} | ${cell(imports === '' ? 'nothing' : imports)} | ${cell(room.because)} |`;
}

const page = new URL('../../docs/architecture.md', import.meta.url);
const table = ['| room | may import, besides itself | because |', '| --- | --- | --- |', ...ROOMS.map(row)];
const folders = ROOMS.flatMap((room) =>
  Object.entries(room.inside ?? {}).map(
    ([folder, others]) =>
      `| ${code(`${room.name}/${folder}`)} | ${others.length === 0 ? 'none' : others.map(code).join(', ')} |`,
  ),
);
const inside = ['| folder | may use, of the other folders of its room |', '| --- | --- |', ...folders];
const withRooms = replaceMarked(readFileSync(page, 'utf8'), 'rooms', table.join('\n'));
holdPage(page, replaceMarked(withRooms, 'folders', inside.join('\n')));
