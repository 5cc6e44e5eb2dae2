// Small wordings that several messages share.

/** `14:02`, or with the day when it is not today's: `Nov 24 14:02`. Local time of the server. */
export function clockTime(wallAt: number, today: number = Date.now()): string {
  const date = new Date(wallAt);
  const time = `${pad(date.getHours())}:${pad(date.getMinutes())}`;
  if (date.toDateString() === new Date(today).toDateString()) return time;
  return `${date.toLocaleString('en', { month: 'short' })} ${date.getDate()} ${time}`;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
