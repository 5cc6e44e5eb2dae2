/** How long what has ended is kept, and how much of the disk it may take. */
import { Type } from 'typebox';
import { closed, duration, size } from './values.ts';

export const retention = Type.Object(
  {
    logs: Type.Optional(duration('The console of a job, from the job’s end.', '30d')),
    images: Type.Optional(duration('An image, from when it was last used.', '30d')),
    jobs: Type.Optional(duration('What `mq jobs` tells of a job, from its end.', '90d')),
    tickets: Type.Optional(duration('How a ticket ended, from its end.', '1d')),
    audit: Type.Optional(duration('Who did what.', '365d')),
    disk_max: Type.Optional(
      size('All of the state folder; beyond it the oldest logs and images go first.', '100GB'),
    ),
  },
  { ...closed, title: 'a mapping such as { logs: 30d }', description: 'How long what has ended is kept.' },
);
