// When this command last lost its server. A write to a lost server raises SIGPIPE, as one to a lost reader of stdout
// does, and only this tells them apart.
const recentMs = 5_000;

let lostAt = Number.NEGATIVE_INFINITY;

export function noteLostLink(): void {
  lostAt = performance.now();
}

export function hasJustLostLink(): boolean {
  return performance.now() - lostAt < recentMs;
}
