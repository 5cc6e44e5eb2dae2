// The closed set of operating errors that cross the wire, and the one table that gives each its HTTP status,
// exit code, whether a repeat can help, and its heading in docs/errors.md. A test compares table and page.

export interface ErrorClass {
  /** HTTP status of the answer. */
  readonly status: number;
  /** Exit code of a new-style command; the old words keep their own (compat rules in src/cli/legacy). */
  readonly exit: number;
  /** True where the same request may succeed later without anybody changing anything. */
  readonly retryable: boolean;
}

/** Every code a client may meet. Add the heading to docs/errors.md in the same commit. */
export const errorClasses = {
  BAD_REQUEST: { status: 400, exit: 2, retryable: false },
  BAD_CONFIG: { status: 422, exit: 1, retryable: false },
  BAD_PATTERN: { status: 400, exit: 2, retryable: false },
  UNKNOWN_TARGET: { status: 404, exit: 1, retryable: false },
  UNKNOWN_TICKET: { status: 404, exit: 1, retryable: false },
  UNKNOWN_JOB: { status: 404, exit: 1, retryable: false },
  LOG_GONE: { status: 410, exit: 1, retryable: false },
  UNKNOWN_IMAGE: { status: 404, exit: 1, retryable: false },
  WRONG_TOKEN: { status: 401, exit: 1, retryable: false },
  NOT_ALLOWED: { status: 403, exit: 1, retryable: false },
  ALREADY_YOURS: { status: 409, exit: 2, retryable: false },
  NOT_HOLDER: { status: 409, exit: 2, retryable: false },
  WRONG_KEY: { status: 409, exit: 2, retryable: false },
  BOARD_BUSY: { status: 409, exit: 1, retryable: true },
  BOARD_UNABLE: { status: 409, exit: 1, retryable: false },
  LAB_FAULT: { status: 502, exit: 3, retryable: true },
  NO_BOARD_FITS: { status: 409, exit: 1, retryable: false },
  NOT_GRANTED_IN_TIME: { status: 409, exit: 2, retryable: true },
  REQUEST_ID_REUSED: { status: 409, exit: 1, retryable: false },
  LIMIT_REACHED: { status: 429, exit: 1, retryable: true },
  IMAGE_MISMATCH: { status: 422, exit: 1, retryable: true },
  TOO_LARGE: { status: 413, exit: 1, retryable: false },
  TRY_AGAIN: { status: 503, exit: 4, retryable: true },
  SERVER_UNREACHABLE: { status: 503, exit: 4, retryable: true },
  PROTOCOL_MISMATCH: { status: 426, exit: 1, retryable: false },
  INTERNAL: { status: 500, exit: 1, retryable: false },
} as const satisfies Record<string, ErrorClass>;

export type ErrorCode = keyof typeof errorClasses;

/** What an error looks like on the wire. `details` is typed by the code's page in docs/errors.md. */
export interface WireError {
  readonly code: ErrorCode;
  /** What happened, to which board, and what to do; one or more full sentences. */
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An operating error with its place. Programmer errors are plain `Error`s and end the process. */
export class MqError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'MqError';
    this.code = code;
    this.details = options.details ?? {};
  }

  toWire(): WireError {
    return { code: this.code, message: this.message, details: this.details };
  }

  static fromWire(error: WireError): MqError {
    return new MqError(error.code, error.message, { details: { ...error.details } });
  }
}
