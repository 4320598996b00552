import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A small source tree beside the project's node_modules, for breaking rules in without touching the real one. */
export interface PlantedTree {
  readonly root: string;
  write(path: string, text: string): void;
  remove(): void;
}

/** @param copies files or folders of the project that the tree starts with */
export function plantTree(copies: readonly string[]): PlantedTree {
  mkdirSync(join(root, '.cache'), { recursive: true });
  const tree = mkdtempSync(join(root, '.cache', 'planted-'));
  for (const path of copies) cpSync(join(root, path), join(tree, path), { recursive: true });
  return {
    root: tree,
    write(path, text) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), text);
    },
    remove() {
      rmSync(tree, { recursive: true, force: true });
    },
  };
}
