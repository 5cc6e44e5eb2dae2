// The old lists of boards and pools: `systems`, `systems simple`, `system-tsv`, `pool-tsv`, `features`.
import { safeJson } from '../../platform/unsafe-text.ts';
import type { LabListing } from '../../protocol/lab.ts';
import { connectTo } from '../connect/connect.ts';
import { features, poolTsv, systems, systemsSimple, systemTsv } from '../lists.ts';
import type { Terminal } from '../terminal/terminal.ts';

type List = (lab: LabListing) => string;

const lists: Readonly<Record<string, List>> = {
  systems,
  'system-tsv': systemTsv,
  'pool-tsv': poolTsv,
  features,
};

/** Runs the list command of this name. */
export function listCommand(name: string) {
  return async (argv: readonly string[], terminal: Terminal, program: string): Promise<number> => {
    if (argv.some((word) => word === '--help' || word === 'help')) {
      const { commandHelp } = await import('../help/help.ts');
      terminal.print(commandHelp(name, program));
      return 0;
    }
    const asked = parseList(name, argv);
    if (!asked) {
      const simple = name === 'systems' ? ' [simple]' : '';
      terminal.print([`${program} ${name}${simple} [--server unix:PATH]`]);
      return 1;
    }
    try {
      const client = await connectTo(asked.server, { readsOnly: true });
      try {
        const { lab } = await client.request('lab', {});
        terminal.print(linesOf(asked.list(lab as LabListing)));
        return 0;
      } finally {
        client.close();
      }
    } catch (error) {
      if (asked.isJson) {
        const { tellFailure } = await import('../commands/command.ts');
        return tellFailure(error, terminal, { isJson: true });
      }
      const { failLegacy } = await import('./failure.ts');
      return failLegacy(error, '', terminal);
    }
  };
}

/** The list and the server, or undefined for words that are none of this command's. */
export function parseList(
  name: string,
  argv: readonly string[],
): { list: List; server: string | undefined; isJson: boolean } | undefined {
  let list = lists[name];
  let server: string | undefined;
  let isJson = false;
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--server') server = rest.shift() ?? '';
    else if (word === 'simple' && name === 'systems') list = systemsSimple;
    else if (word === '--json' && name === 'systems') isJson = true;
    else return undefined;
  }
  return list && { list: isJson ? systemsJson : list, server, isJson };
}

/** For programs: boards with their attributes, and pools. No old script had it. */
function systemsJson(lab: LabListing): string {
  return safeJson(JSON.stringify(lab, undefined, 2));
}

/** The lists end in a line feed, which printing adds. */
function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}
