/**
 * How a board is driven, as the configuration says it and the agent takes it. No secret is in it: it goes into files and
 * over sockets, so it says only where a secret is. Types only.
 */

/** Each driver names its own settings. */
export type MachineSpec = ScriptMachine | V86Machine | QemuMachine | PartsMachine;

export interface ScriptMachine {
  readonly driver: 'script';
  /** Absolute path of the program that runs a job. */
  readonly path: string;
  /** Absolute path of the program that powers off, where that is another one; it is called with `--shutdown` too. */
  readonly powerOffPath?: string;
}

export interface V86Machine {
  readonly driver: 'v86';
  readonly memoryMb: number;
}

export interface QemuMachine {
  readonly driver: 'qemu';
  /** Looked up in PATH, or an absolute path. */
  readonly program: string;
  readonly machine: string;
  readonly cpu?: string;
  readonly memoryMb: number;
  readonly arguments: readonly string[];
}

/** A board put together from power, console and boot. */
export interface PartsMachine {
  readonly driver: 'parts';
  readonly power: PowerSpec;
  readonly console: ConsoleSpec;
  readonly boot: BootSpec;
}

/** Commands are a program and its words. */
export interface PowerSpec {
  readonly driver: 'command';
  readonly powerOn: readonly string[];
  readonly powerOff: readonly string[];
  readonly status?: readonly string[];
  /** For the environment of the commands: a text, or where the agent finds the secret. */
  readonly env?: Readonly<Record<string, string | { readonly env: string } | { readonly file: string }>>;
  /** Of one try. */
  readonly timeoutSeconds: number;
  readonly retries: number;
}

export type ConsoleSpec = { readonly connectSeconds: number; readonly reconnectSeconds: number } & (
  | { readonly driver: 'tcp'; readonly host: string; readonly port: number; readonly telnet?: boolean }
  | { readonly driver: 'exec'; readonly command: readonly string[] }
);

/** Absolute paths. */
export interface BootSpec {
  readonly driver: 'copy';
  readonly to: string;
  readonly secondTo?: string;
  readonly dtbTo?: string;
  readonly bitstreamTo?: string;
}
