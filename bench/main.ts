// `npm run bench [-- NAME] [--quick] [--json FILE]`, `npm run bench -- --peers`: measures what docs/performance.md tells
// of, each beside what this machine allows in the same run, and prints a line for each. A full run writes its figures to
// bench/results/; --json writes them to another file too.
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { run as runBoot } from './boot.ts';
import { run as runBootProgram } from './boot-program.ts';
import { run as runCommandLine } from './command-line.ts';
import { run as runHandOver } from './hand-over.ts';
import { run as runHistory } from './history.ts';
import { run as runMatch } from './match.ts';
import { run as runMemory } from './memory.ts';
import { run as runPairs } from './pairs.ts';
import { asMarkdown } from './peers/table.ts';
import { type PeersOptions, run as runPeers } from './peers.ts';
import { describeMachine, resultPath, thisMachine, writeFigures } from './results-file.ts';
import { run as runScheduler } from './scheduler.ts';
import { run as runScale } from './scheduler-scale.ts';

type Bench = (quick: boolean) => Promise<unknown>;

const benches: Readonly<Record<string, Bench>> = {
  'hand-over': async (quick) => {
    const all = [];
    for (const waiting of quick ? [1, 1_000] : [1, 100, 10_000]) {
      const found = await runHandOver({ waiting, handOvers: quick ? 50 : 500 });
      say(
        `${waiting} waiting on ${found.connections} connections: ${ms(found.medianMs)} (p99 ${ms(found.p99Ms)}), ` +
          `beside fdatasync ${ms(found.syncMs)} + round trip ${ms(found.roundTripMs)} (p99 ${ms(found.limitP99Ms)}): ` +
          `${found.ratio.toFixed(1)} times`,
      );
      all.push(found);
    }
    return all;
  },
  pairs: async (quick) => {
    const found = await runPairs({
      boards: quick ? [10, 1_000] : [10, 10_000],
      clients: [1, 64],
      rounds: quick ? 3 : 25,
      seconds: 0.3,
    });
    for (const { boards, clients, pairsPerSecond, stubPairsPerSecond, ratio } of found.figures) {
      const speeds = `${pairsPerSecond.toFixed(0)} pairs/s, the stub ${stubPairsPerSecond.toFixed(0)}`;
      say(`${clients} clients, ${boards} boards: ${speeds}: ${ratio.toFixed(2)} of it`);
    }
    for (const { clients, times } of found.slower)
      say(`${clients} clients: ${times.toFixed(2)} times slower with most boards than with fewest`);
    return found;
  },
  scheduler: async (quick) => {
    const found = runScheduler({ pairs: quick ? 500 : 3_000 });
    for (const row of found) {
      const sizes =
        `${row.boards} boards in ${row.poolsOfEachBoard} pools and ${row.adHocQueues} ad-hoc queues, ` +
        `${row.tickets} tickets, ${row.sets} sets`;
      say(
        `${sizes}: ${row.microsecondsPerPair.toFixed(0)} µs a pair, ${row.ratio.toFixed(1)} times its changes as JSON`,
      );
    }
    const scale = runScale({ handOvers: quick ? 100 : 1_000, boards: [10, quick ? 1_000 : 10_000] });
    for (const { what, few, many, ratio } of scale) {
      const times = `${few.microsecondsPerStep.toFixed(1)} → ${many.microsecondsPerStep.toFixed(1)} µs a step`;
      const sizes = `${few.boards} boards and ${few.tickets} tickets → ${many.boards} and ${many.tickets}`;
      say(`${what}: ${sizes}: ${times}, ${ratio.toFixed(2)} times`);
    }
    return { pairs: found, scale };
  },
  history: async (quick) => {
    const found = await runHistory({ pairs: quick ? 5_000 : 300_000, commits: quick ? 50 : 500 });
    const times = `${ms(found.oldMs)}, in an empty one ${ms(found.newMs)}: ${found.ratio.toFixed(2)} times`;
    say(`a commit after ${found.pairs} pairs: ${times}`);
    return found;
  },
  memory: async (quick) => {
    const size = quick ? 1_000 : 10_000;
    const found = await runMemory({ boards: size, tickets: size, clients: size });
    say(`idle ${mb(found.idleBytes)}`);
    say(`${found.boards} boards: ${mb(found.manyBoardsBytes)}, ${kb(found.bytesPerBoard)} a board`);
    say(`${found.tickets} waiting: ${mb(found.manyTicketsBytes)}, ${kb(found.bytesPerTicket)} a ticket`);
    const onHeap = `${kb(found.heapBytesPerClient)} of it on the heap`;
    say(
      `${found.clients} clients waiting: ${mb(found.manyClientsBytes)}, ${kb(found.bytesPerClient)} each, ${onHeap}`,
    );
    return found;
  },
  'command-line': async (quick) => {
    const found = await runCommandLine({ runs: quick ? 10 : 60 });
    const beside = `beside node -e 0 ${ms(found.nodeMs)}: ${found.ratio.toFixed(2)} times`;
    say(`mq sem -mr-info: ${ms(found.commandMs)}, ${beside}`);
    return found;
  },
  boot: async (quick) => {
    const driver = await runBoot({ rounds: quick ? 3 : 15 });
    const { driverMilliseconds, bareMilliseconds, threadMilliseconds, ratio } = driver;
    const parts = `bare emulator ${ms(bareMilliseconds)}, an empty thread ${ms(threadMilliseconds)}`;
    say(`image to first line: driver ${ms(driverMilliseconds)}, ${parts}: ${ratio.toFixed(1)} times`);
    const program = await runBootProgram({ runs: quick ? 3 : 15 });
    const whole = `to its exit ${ms(program.wholeRunMs)}, beside node -e 0 ${ms(program.nodeMs)}`;
    say(`mq run to first line: ${ms(program.firstLineMs)}, ${whole}`);
    return { driver, program };
  },
  match: async (quick) => runMatch({ megabytes: quick ? 5 : 50, rounds: quick ? 1 : 3 }),
};

const fullPeers: PeersOptions = {
  counts: [1, 8, 64],
  rounds: 7,
  secondsOfPairs: 1,
  queuesMax: (waiting) => (waiting === 1 ? 40 : waiting === 8 ? 6 : 1),
  withProcesses: true,
};
const quickPeers: PeersOptions = {
  counts: [1, 4],
  rounds: 1,
  secondsOfPairs: 0.2,
  queuesMax: () => 2,
  withProcesses: false,
};

function say(text: string): void {
  console.log(`  ${text}`);
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 1)} ms`;
}

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function kb(bytes: number): string {
  return `${(bytes / 1e3).toFixed(1)} kB`;
}

const { values, positionals } = parseArgs({
  options: {
    json: { type: 'string' },
    only: { type: 'string' },
    peers: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const [only = values.only] = positionals;
if (only !== undefined && !(only in benches)) {
  console.error(`There is no bench '${only}', but ${Object.keys(benches).join(', ')}; and --peers`);
  process.exit(1);
}

const machine = thisMachine();
const { quick } = values;
console.log(describeMachine(machine));
const results: Record<string, unknown> = {};
const stamp = () => ({ at: new Date().toISOString(), quick, machine });
if (values.peers) {
  const found = await runPeers(quick ? quickPeers : fullPeers, say);
  for (const { what, times } of found.ratios) say(`${what}: ${times.toFixed(2)} times`);
  results.peers = found;
  if (!quick) writeFileSync(resultPath('peers.md'), asMarkdown(found, describeMachine(machine)));
} else {
  for (const [name, bench] of Object.entries(benches)) {
    if (only !== undefined && only !== name) continue;
    console.log(name);
    results[name] = await bench(quick);
  }
}
for (const [name, found] of quick ? [] : Object.entries(results))
  writeFigures(resultPath(`${name}.json`), { ...stamp(), results: { [name]: found } });
if (values.json !== undefined) writeFigures(resolve(values.json), { ...stamp(), results });
