// Every operation by its name: the one place where the wire's words meet the use cases.
import { MqError } from '../../protocol/errors.ts';
import type { Handlers } from './call.ts';
import { health } from './health.ts';
import { console, consoleClose, finish, job, jobs, write } from './jobs.ts';
import { board, hello, images, lab, reload, status, watchStatus } from './lab.ts';
import { awaitFree, extend, give, info, locks, release, steal } from './locks.ts';
import { power, powerStatus } from './power.ts';
import { attach, cancel, cancelWaiting, confirm, submit, withdraw } from './tickets.ts';

export const handlers: Handlers = {
  hello,
  health,
  lab,
  info,
  locks,
  submit,
  confirm,
  withdraw,
  attach,
  release,
  'await-free': awaitFree,
  extend,
  give,
  steal,
  power,
  'power-status': powerStatus,
  'cancel-waiting': cancelWaiting,
  cancel,
  board,
  reload,
  status,
  'watch-status': watchStatus,
  jobs,
  job,
  console,
  'console-close': consoleClose,
  write,
  finish,
  images,
  // Uploads need the frames behind the request: the transport carries them out (http/uploads.ts).
  'put-image': async () => {
    throw new MqError('BAD_REQUEST', 'Uploads go over a channel.');
  },
};
