// Every limit of the agent, in one place. Only numbers.

/** Seconds after which an action that was told to end counts as stuck. */
export const actionEndSeconds = 30;

/** Seconds that one power off may take. */
export const powerOffSeconds = 30;

/** Seconds for which a board that is cycled stays off. */
export const cycleOffSeconds = 2;

/** Beyond `powerOffSeconds`, for ending the program that does it. */
export const powerOffGraceSeconds = 15;

/** Largest JSON message or data frame that the server may send. */
export const messageBytesMax = 8 * 1024 * 1024;

/** Messages that the server does not take while it keeps asking: then the connection ends. */
export const unsentBytesMax = 64 * 1024 * 1024;

/** Console bytes in one data frame at most. */
export const frameBytesMax = 64 * 1024;

/** What a console that is behind sends before it is another's turn. */
export const turnBytesMax = 256 * 1024;

export const boardsMax = 10_000;

/** Jobs that run, or have ended and not been forgotten. */
export const jobsMax = 20_000;

/** Console bytes of one job waiting for the disk, at which the board is asked to wait. */
export const consoleWaitBytes = 8 * 1024 * 1024;

/** And at which the job ends, for the board does not wait. */
export const consoleQueueBytesMax = 512 * 1024 * 1024;

/** The first console bytes, which stay for ever when a log outgrows its limit. */
export const consoleHeadBytes = 16 * 1024 * 1024;

/** What the server's limit of a job's console is raised to, so that a log has room for a head and a rest. */
export const logBytesMin = 64 * 1024;

/** Longest stretch of console in one file. */
export const consoleSegmentBytes = 8 * 1024 * 1024;

/** All images kept. */
export const imageCacheBytesMax = 4 * 1024 * 1024 * 1024;

/** Console input that waits for a board which is being started; more is dropped, as a serial port does. */
export const inputWaitBytesMax = 1024 * 1024;

/** Seconds in which the agent must have ended everything once it was told to stop: a stop and a power off. */
export const stopSeconds = actionEndSeconds + powerOffSeconds + powerOffGraceSeconds + 15;

/** Seconds that the last messages get to leave before the agent does. */
export const farewellSeconds = 2;
