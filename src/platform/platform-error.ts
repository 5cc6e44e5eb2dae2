// The one error class of this folder, for operating errors: a full disk, a hostile peer, a path in use.
// Programmer errors stay TypeError and RangeError. Callers map the codes to their own catalogue.

export type PlatformErrorCode =
  | 'FRAME_TOO_LARGE'
  | 'FRAME_MALFORMED'
  | 'NATIVE_UNAVAILABLE'
  | 'PEER_UNKNOWN'
  | 'NAME_LOOKUP_FAILED'
  | 'GROUP_UNKNOWN'
  | 'SOCKET_PATH_TOO_LONG'
  | 'SOCKET_IN_USE'
  | 'SOCKET_UNUSABLE'
  | 'FOLDER_LOCKED'
  | 'SECRET_UNUSABLE'
  | 'ADDRESS_UNUSABLE'
  | 'LOG_WRITE_FAILED'
  | 'LOG_DAMAGED'
  | 'LOG_CLOSED';

/** Plain values that say where it happened; never secrets, for they reach messages and logs. */
export type PlatformErrorDetails = Readonly<Record<string, string | number | boolean>>;

export class PlatformError extends Error {
  override readonly name = 'PlatformError';
  readonly code: PlatformErrorCode;
  readonly details: PlatformErrorDetails;

  constructor(
    code: PlatformErrorCode,
    message: string,
    options: { details?: PlatformErrorDetails; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** The `code` of a system error ('ENOENT', 'EADDRINUSE', …), or undefined where the value has none. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
