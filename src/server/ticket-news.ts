// Who waits to hear what becomes of a ticket: of an offer that is not told yet, since its lock file is still being made, or
// of a job that waits for its board.

export class TicketNews {
  readonly #waits = new Map<number, PromiseWithResolvers<void>>();

  /** There is something new about the ticket. */
  note(ticket: number): void {
    this.#waits.get(ticket)?.resolve();
    this.#waits.delete(ticket);
  }

  /** Resolves with the next news, or after the time; ask for the state after calling. */
  async next(ticket: number, ms: number): Promise<void> {
    const wait = this.#waits.get(ticket) ?? Promise.withResolvers<void>();
    this.#waits.set(ticket, wait);
    const timer = setTimeout(() => this.note(ticket), ms).unref();
    await wait.promise;
    clearTimeout(timer);
  }
}
