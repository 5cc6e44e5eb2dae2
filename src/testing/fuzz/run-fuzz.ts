// `npm run fuzz`: bad input of every kind, as many as are wanted, in the shares that the kinds have. Says how many of each
// there were; of a broken promise the input, the smallest that breaks it, and the command that throws it again.
import { agentKind } from './agent-input.ts';
import { channelKind } from './channel-input.ts';
import { cliKind } from './cli-input.ts';
import { configKind } from './config-input.ts';
import { consoleKind } from './console-input.ts';
import { type FuzzReport, fuzz } from './fuzz.ts';
import { type Kind, type KindName, kindNames } from './kind.ts';
import { namesKind } from './names-input.ts';
import { routesKind } from './routes-input.ts';
import { serverKind } from './server-input.ts';

const kinds: Readonly<Record<KindName, Kind>> = {
  routes: routesKind,
  channel: channelKind,
  agent: agentKind,
  server: serverKind,
  config: configKind,
  console: consoleKind,
  names: namesKind,
  cli: cliKind,
};

export interface FuzzOptions {
  readonly seed: number;
  /** Of all kinds together; of `only` where that is given. */
  readonly inputs: number;
  readonly only?: readonly KindName[];
  readonly say: (line: string) => void;
}

/** Stops at the first broken promise. Answers whether there was none. */
export async function runFuzz({ seed, inputs, only = kindNames, say }: FuzzOptions): Promise<boolean> {
  const wanted = only.map((name) => kinds[name]);
  const shares = wanted.reduce((sum, { share }) => sum + share, 0);
  say(`Bad input from seed ${seed}:`);
  let total = 0;
  for (const kind of wanted) {
    const report = await fuzz(kind, { seed, inputs: Math.ceil((inputs * kind.share) / shares) });
    total += report.inputs;
    say(describe(report));
    if (report.failure) {
      for (const line of describeFailure(report, seed)) say(line);
      return false;
    }
  }
  say(`${total} inputs, all promises kept.`);
  return true;
}

export function readKinds(text: string): KindName[] {
  return text.split(',').map((word) => {
    const name = kindNames.find((one) => one === word.trim());
    if (name === undefined)
      throw new Error(
        `--only takes some of these, with commas between, not '${word}': ${kindNames.join(', ')}`,
      );
    return name;
  });
}

function describe({ kind, inputs, seconds, grownBytes }: FuzzReport): string {
  const perSecond = Math.round(inputs / seconds);
  const megabytes = (grownBytes / 1024 ** 2).toFixed(1);
  return `  ${kind}: ${inputs} inputs in ${seconds.toFixed(1)} s (${perSecond} a second), heap ${megabytes} MB above its start`;
}

function describeFailure({ failure, inputs }: FuzzReport, seed: number): string[] {
  if (!failure) return [];
  const { kind, index, input, smallest, problems } = failure;
  const alone =
    smallest === undefined ? 'It takes what came before it.' : `The smallest that does: ${show(smallest)}`;
  return [
    `Seed ${seed}, kind ${kind}: input ${index} broke a promise:`,
    ...problems.map((problem) => `  ${problem}`),
    `The input: ${show(input)}`,
    alone,
    'The same again:',
    `  npm run fuzz -- --seed ${seed} --only ${kind} --inputs ${inputs}`,
  ];
}

/** As JSON that is safe to look at, and not without end. */
function show(input: unknown): string {
  const text = JSON.stringify(input).replace(
    /[^\u0020-\u007e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return text.length <= 4_000 ? text : `${text.slice(0, 4_000)} … (${text.length} characters)`;
}
