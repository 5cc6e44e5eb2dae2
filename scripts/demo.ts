// `npm run demo [-- --keep]`: starts a lab of emulated boards in a fresh folder, does the main job before the
// reader's eyes, judges the outcome through the public command line, and cleans up. Needs no network, and touches
// only its own folder in .demo/. Exit code 0 only if all was as it must be.
import { resolve } from 'node:path';
import { type Judgement, judge } from './demo/judge.ts';
import { endText, Lab, makeLabFolder } from './demo/lab.ts';
import { Mq } from './demo/mq.ts';
import { tellStory } from './demo/story.ts';
import { Voice } from './demo/voice.ts';

/** All of it, so that it ends also where something hangs. */
const demoMsMax = 75_000;
const root = resolve(import.meta.dirname, '..');
const voice = new Voice();

async function demo(keep: boolean, stop: AbortController): Promise<boolean> {
  const folder = makeLabFolder(root);
  const mq = new Mq({ root, socketPath: folder.socketPath });
  const lab = new Lab(root, folder);
  const signal = AbortSignal.any([stop.signal, lab.ended, AbortSignal.timeout(demoMsMax)]);
  let isRight = false;
  try {
    await lab.ready(mq, signal);
    const seen = await tellStory({ mq, voice, images: folder.images, signal });
    const judgement = await judge(mq, seen, signal);
    isRight = judgement.faults.length === 0;
    tellJudgement(judgement);
  } catch (error) {
    voice.silence();
    if (!stop.signal.aborted) process.stderr.write(`demo: ${describe(error)}\n`);
  }
  if (isRight && keep && !stop.signal.aborted) {
    lab.leaveUp();
    tellHowToGoOn(lab);
  } else {
    await mq.stopAll();
    await lab.stop();
    if (isRight || stop.signal.aborted) lab.remove();
    else process.stderr.write(`demo: logs of server and agent are kept in ${folder.path}\n`);
  }
  if (isRight && !stop.signal.aborted) tellEnd(keep);
  return isRight && !stop.signal.aborted;
}

function tellJudgement({ faults, jobs, handOversMs }: Judgement): void {
  voice.say();
  voice.say('Checked with `mq jobs --json` and `mq sem dumpall`:');
  const count = (verdict: string) => jobs.filter((job) => job.verdict === verdict).length;
  const counts = `${count('completed')} completed, ${count('error-text')} error text, ${count('timed-out')} timed out`;
  voice.say(`  ${jobs.length} jobs: ${counts}; first come, first served in both pools; no lock is left.`);
  const sorted = handOversMs.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  if (median !== undefined)
    voice.say(
      `  From one job's end to the next one's start on its board: ${median} ms (median of ${sorted.length}).`,
    );
  for (const fault of faults) voice.say(`  WRONG: ${fault}.`);
}

function tellHowToGoOn(lab: Lab): void {
  const { path, socketPath, images } = lab.folder;
  voice.say('The lab stays up. To talk to it:');
  voice.say(`  export MQ_SERVER=unix:${socketPath}`);
  voice.say('  bin/mq status');
  voice.say(`  bin/mq run -s north -c '${endText}' -f ${images.hello}`);
  voice.say(`To stop it: kill ${lab.serverPid}   (its files stay in ${path})`);
}

function tellEnd(keep: boolean): void {
  voice.say();
  voice.say(
    'You saw people and jobs share boards: whoever could not have one waited in line, and knew the place.',
  );
  voice.say(
    'A board that came free went to the next in line by itself, also after a job that failed or hung.',
  );
  voice.say(
    keep
      ? 'Type the lines above to try it yourself; README.md shows how to make a lab of your own.'
      : 'Type `npm run demo -- --keep` to try it yourself in this lab, or see README.md for a lab of your own.',
  );
}

function describe(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `not done after ${demoMsMax / 1000} s`;
  return error instanceof Error ? error.message : String(error);
}

async function main(args: readonly string[]): Promise<number> {
  if (args.some((arg) => arg !== '--keep')) {
    process.stderr.write('usage: npm run demo [-- --keep]\n  --keep   leaves the server up afterwards\n');
    return 2;
  }
  const stop = new AbortController();
  const onSignal = () => {
    if (!stop.signal.aborted) process.stderr.write('demo: stopping server and agent\n');
    voice.silence();
    stop.abort();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  // Nobody reads on, as after `| head`.
  process.stdout.on('error', () => {
    voice.silence();
    stop.abort();
  });
  return (await demo(args.includes('--keep'), stop)) ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
