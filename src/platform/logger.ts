// Structured logs: one JSON object a line, to standard error or a file, through pino. Secrets are taken out on
// the way.

import { pino } from 'pino';
import { isJournal, withPriority } from './journal.ts';
import { LogSink } from './log-sink.ts';
import { redact, redactText } from './redact.ts';
import { safeJson } from './unsafe-text.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What belongs to a line; errors go under `error`. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds these fields to each line. */
  child(fields: LogFields): Logger;
}

export interface OpenLogger extends Logger {
  /** Writes the lines that wait, at once: for the moment before the process ends itself. */
  flush(): void;
  /** Waits until all lines are written or lost. Not needed at the end of the process: that writes them too. */
  close(): Promise<void>;
}

/**
 * `to`: standard error (where that is systemd's journal, with priorities for it), or the path of a file that is added to; its folder is made.
 * `fields`: what each line carries beside time, level and message.
 * Throws the system's error where the file cannot be opened; later trouble with it costs lines, nothing else.
 */
export function openLogger(options: {
  to: 'stderr' | { path: string };
  level: LogLevel | 'silent';
  fields?: LogFields;
}): OpenLogger {
  const sink = LogSink.open(options.to);
  const isJournals = options.to === 'stderr' && isJournal(2, process.env);
  // Names and keys of users are in it, and somebody looks at it on a terminal.
  const stream = {
    write: (line: string) => sink.write(isJournals ? withPriority(safeJson(line)) : safeJson(line)),
  };
  const root = pino(
    {
      level: options.level,
      base: redact(options.fields ?? {}) as Record<string, unknown>,
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    stream,
  );
  return { ...wrap(root), flush: () => sink.flush(), close: () => sink.close() };
}

function wrap(lines: pino.Logger): Logger {
  const at =
    (level: LogLevel) =>
    (message: string, fields?: LogFields): void => {
      if (lines.isLevelEnabled(level)) lines[level](redact(fields ?? {}), redactText(message));
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => wrap(lines.child(redact(fields) as Record<string, unknown>)),
  };
}
