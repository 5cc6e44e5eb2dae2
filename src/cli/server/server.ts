// `mq server`: loads the configuration, takes the state folder, starts the lab and listens, until a signal.
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../platform/clock.ts';
import { entryUrl } from '../../platform/entry-url.ts';
import { type FolderLock, lockFolder } from '../../platform/folder-lock.ts';
import { type LogLevel, type OpenLogger, openLogger } from '../../platform/logger.ts';
import { PlatformError } from '../../platform/platform-error.ts';
import { findUserId, getGroupId, UserNames } from '../../platform/users.ts';
import { MqError } from '../../protocol/errors.ts';
import type { LabConfig } from '../../protocol/lab.ts';
import { Images } from '../../server/images.ts';
import { ClockError, LabServer } from '../../server/lab-server.ts';
import { KeeperProcess } from '../../server/lock-files/keeper.ts';
import { StoreError } from '../../store/contract.ts';
import { openSqliteStore } from '../../store/sqlite/store.ts';
import { loadConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { escapeText } from '../terminal/escape.ts';
import { version } from '../version.ts';
import { agentConnector } from './agent-process.ts';
import { openDoors } from './doors.ts';
import { holderMails } from './holder-mails.ts';
import { catchSignals } from './signals.ts';

export interface ServerOptions {
  readonly configPath: string;
  readonly stateFolder: string;
  readonly socketPath: string;
  /** How long a SIGTERM waits for jobs that can't outlive the server. */
  readonly drainSeconds: number;
  readonly acceptClock: boolean;
  /** Somebody else starts the agent, such as systemd. */
  readonly waitsForAgent: boolean;
  readonly logLevel: LogLevel;
}

/** The server listens after this long even without its agent, or its folder of lock files: it can queue, if not grant. */
const agentMsMax = 5_000;

/** Runs until a signal; returns the exit code. What is wrong at the start is said on stderr in plain words. */
export async function runServer(options: ServerOptions): Promise<number> {
  const config = await readConfig(options.configPath);
  if (!config) return 2;
  const logger = openLogger({ to: 'stderr', level: options.logLevel });
  try {
    return await serve(options, config, logger);
  } catch (error) {
    if (!isExpected(error)) throw error;
    process.stderr.write(`mq server: ${escapeText(error.message)}\n`);
    return 1;
  } finally {
    logger.flush();
  }
}

async function readConfig(path: string): Promise<LabConfig | undefined> {
  const result = await loadConfig(path);
  const said = result.ok ? result.warnings : result.problems;
  for (const problem of said) process.stderr.write(`${escapeText(formatProblem(problem))}\n`);
  return result.ok ? result.config : undefined;
}

async function serve(options: ServerOptions, config: LabConfig, logger: OpenLogger): Promise<number> {
  const folder = options.stateFolder;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const groupId = config.socketGroup === undefined ? undefined : getGroupId(config.socketGroup);
  const owned: FolderLock = await lockFolder(folder);
  const [signals, users] = [catchSignals(), new UserNames()];
  try {
    const store = await openSqliteStore({
      path: join(folder, 'mq.db'),
      threadUrl: entryUrl('store/sqlite/thread.ts'),
    });
    const images = new Images(join(folder, 'images'), config.limits);
    await images.start();
    const lab = await LabServer.start({
      config,
      loadConfig: () => loadConfig(options.configPath),
      store,
      images,
      consoleFolder: join(folder, 'consoles'),
      stateFolder: folder,
      version,
      time: systemClock,
      logger,
      connectAgent: agentConnector({ folder: join(folder, 'agent'), isApart: options.waitsForAgent, logger }),
      isRoot: (uid) => uid === 0 || uid === process.getuid?.(),
      acceptClock: options.acceptClock,
      users: { nameOf: (uid) => users.findName(uid), idOf: findUserId },
      openKeeper: (folder, onChanged) => new KeeperProcess(folder, onChanged),
      onFatal: (message) => die(logger, message),
    }).catch(async (error: unknown) => {
      await store.close();
      throw error;
    });
    await Promise.race([firstSight(lab), signals.first]);
    const doors = await openDoors(lab, { socketPath: options.socketPath, groupId, users });
    // What comes of it is in the log.
    signals.onReload(() => void lab.reloader.reload('system').catch(() => undefined));
    const mails = holderMails(lab, join(folder, 'mails.json'), logger);
    logger.info('ready', { ...doors.places, boards: config.boards.length });
    await signals.first;
    logger.info('leaving', { drainSeconds: options.drainSeconds });
    await leave(lab, options.drainSeconds, signals.second);
    await doors.close();
    for (const session of [...lab.sessions.all()])
      session.port.send({ event: 'bye', reason: 'the server is leaving' });
    await mails.stop();
    await lab.stop();
    return 0;
  } finally {
    await owned.release();
  }
}

/** A client that asks the moment the socket is there finds boards and lock files there too, if agent and folder are quick. */
async function firstSight(lab: LabServer): Promise<void> {
  const seen = Promise.all([lab.agents.firstBoards, lab.lockFiles.firstLook()]);
  await Promise.race([seen, pause(agentMsMax)]);
}

/** No new grants; waits for jobs that can't outlive the server, up to the limit or a second signal. */
async function leave(lab: LabServer, drainSeconds: number, second: Promise<void>): Promise<void> {
  const deadline = AbortSignal.timeout(drainSeconds * 1000);
  await Promise.race([lab.drain(deadline), second]);
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs).unref());
}

/** The outcome of a commit is not known: only a fresh start reads the truth from the disk. */
function die(logger: OpenLogger, message: string): void {
  logger.error('the outcome of a commit is not known; leaving so that a new start reads the truth', {
    message,
  });
  logger.flush();
  process.exit(70);
}

function isExpected(error: unknown): error is Error {
  const expected = [StoreError, PlatformError, ClockError, MqError];
  return expected.some((kind) => error instanceof kind);
}
