// Watches over what lies around a folder: nothing outside of it may be made, changed or removed. Reads only.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const secret = 'nobody may read or change this';

/** `root` gets files around the folder that is returned, of names that bad paths are made of. */
export async function plantCanary(root: string): Promise<string> {
  const inner = join(root, 'a', 'b', 'state');
  await mkdir(inner, { recursive: true });
  for (const folder of [root, join(root, 'a'), join(root, 'a', 'b')]) {
    await mkdir(join(folder, 'etc'), { recursive: true });
    for (const name of ['passwd', 'x', 'file']) await writeFile(join(folder, 'etc', name), secret);
  }
  return inner;
}

/** Everything under `root` but what is in `except`, with its content. */
export function listAround(root: string, except: string): string {
  const lines: string[] = [];
  const walk = (folder: string): void => {
    for (const name of readdirSync(folder).sort()) {
      const path = join(folder, name);
      if (path === except) continue;
      if (statSync(path).isDirectory()) walk(path);
      else lines.push(`${path} ${readFileSync(path, 'utf8')}`);
      lines.push(path);
    }
  };
  walk(root);
  return lines.join('\n');
}
