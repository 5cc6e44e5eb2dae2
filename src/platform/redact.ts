// Makes any value fit for a log line: secrets are taken out, and size and depth have limits. Pure.

const depthMax = 6;
const entriesMax = 100;
const textLengthMax = 8 * 1024;
const redacted = '[redacted]';

/** Names whose texts are secrets wherever they stand. Numbers under such names are none: a fencing token. */
const secretName =
  /token|secret|passw|passphrase|credential|authorization|cookie|api[-_]?key|private[-_]?key/i;
const bearer = /\b(bearer)\s+[\w.~+/=-]{6,}/gi;
const authorization = /\b(authorization:\s*\w+)\s+\S+/gi;
const userInfoOfUrl = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/?#@]*:[^\s/?#@]*@/gi;
const secretOfQuery = /([?&](?:access_|id_)?(?:token|secret|password|key|code)=)[^&\s#]+/gi;

/** A text without the passwords of its URLs and without bearer tokens. */
export function redactText(text: string): string {
  const short =
    text.length <= textLengthMax
      ? text
      : `${text.slice(0, textLengthMax)} … (${text.length - textLengthMax} characters more)`;
  return short
    .replace(userInfoOfUrl, `$1${redacted}@`)
    .replace(authorization, `$1 ${redacted}`)
    .replace(bearer, `$1 ${redacted}`)
    .replace(secretOfQuery, `$1${redacted}`);
}

/** A copy for JSON: objects, arrays, texts, numbers, booleans, null. Errors keep message, stack, code and cause. */
export function redact(value: unknown): unknown {
  return redactAt(value, 0);
}

function redactAt(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
  if (typeof value === 'function') return `[function ${value.name}]`;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'no date' : value.toISOString();
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (depth >= depthMax) return '[deeper]';
  if (value instanceof Error) return redactEntries(errorEntries(value), depth);
  if (value instanceof Map) return redactEntries(textKeys(value), depth);
  if (Array.isArray(value) || value instanceof Set) return redactList([...value], depth);
  return redactEntries(Object.entries(value), depth);
}

function redactEntries(entries: readonly [string, unknown][], depth: number): Record<string, unknown> {
  const kept = entries.slice(0, entriesMax).map(([name, value]): [string, unknown] => {
    const isSecret = typeof value === 'string' && secretName.test(name);
    return [name, isSecret ? redacted : redactAt(value, depth + 1)];
  });
  if (entries.length > entriesMax) kept.push(['…', `${entries.length - entriesMax} more`]);
  return Object.fromEntries(kept);
}

function redactList(values: readonly unknown[], depth: number): unknown[] {
  const kept = values.slice(0, entriesMax).map((value) => redactAt(value, depth + 1));
  return values.length > entriesMax ? [...kept, `${values.length - entriesMax} more`] : kept;
}

function textKeys(map: Map<unknown, unknown>): [string, unknown][] {
  return [...map].map(([key, value]) => [redactText(String(key)), value]);
}

/** What JSON leaves out of an error, then its own fields (code, details, syscall, path, …). */
function errorEntries(error: Error): [string, unknown][] {
  const { name, message, stack, cause } = error;
  const own = Object.entries(error).filter(([key]) => !['name', 'message', 'stack', 'cause'].includes(key));
  return [
    ['name', name],
    ['message', message],
    ...own,
    ['stack', stack],
    ...(cause === undefined ? [] : ([['cause', cause]] as [string, unknown][])),
  ];
}
