/** A limit on everything that grows. */
import { Type } from 'typebox';
import { closed, count, duration, size } from './values.ts';

export const limits = Type.Object(
  {
    tickets_per_user: Type.Optional(
      count('Tickets that one user may have waiting, over all queues.', {
        default: 1_000,
        maximum: 1_000_000,
      }),
    ),
    queue_length: Type.Optional(count('Tickets in one queue.', { default: 20_000, maximum: 1_000_000 })),
    image_bytes_max: Type.Optional(size('Size of one image.', '512MB')),
    images_bytes_max: Type.Optional(
      size('All images together; those longest unused make way for new ones.', '16GB'),
    ),
    log_bytes_max: Type.Optional(size('Console bytes kept of one job.', '256MB')),
    job_max: Type.Optional(duration('The end of a job that gave no limit (-d) of its own.', '2h')),
    ad_hoc_queues_per_board: Type.Optional(
      count('Queues of ad-hoc sets and selectors in which one board may be.', {
        default: 64,
        maximum: 10_000,
      }),
    ),
    boards_per_ticket: Type.Optional(
      count('Boards that one ticket may ask for.', { default: 32, maximum: 64 }),
    ),
    streams_per_user: Type.Optional(count('Of these one user.', { default: 5_000, maximum: 1_000_000 })),
    connections: Type.Optional(
      count('Connections to the server, with a stream or without.', { default: 25_000, maximum: 1_000_000 }),
    ),
    uploads: Type.Optional(
      count('Images that may be on their way in at once.', { default: 256, maximum: 10_000 }),
    ),
    console_readers: Type.Optional(
      count('Consoles that may be read at once.', { default: 10_000, maximum: 1_000_000 }),
    ),
    wait_max: Type.Optional(duration('The longest that a ticket may wait.', '365d')),
    open_streams: Type.Optional(
      count('Streams that all clients together may have open.', {
        default: 20_000,
        maximum: 1_000_000,
      }),
    ),
  },
  { ...closed, title: 'a mapping of limits', description: 'A limit on everything that grows.' },
);
