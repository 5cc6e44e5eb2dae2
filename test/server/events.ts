// What a test waits for on a client's channel.

/** Tell events of a client's channel apart. */
export const isTicket = (ticket: number, state: string) => (message: object) =>
  'view' in message &&
  (message.view as { ticket: number }).ticket === ticket &&
  (message.view as { state: string }).state === state;
export const isJob = (job: number, state: string) => (message: object) =>
  'job' in message &&
  (message.job as { id?: number }).id === job &&
  (message.job as { state: string }).state === state;
export const isEvent = (name: string) => (message: { event: string }) => message.event === name;
