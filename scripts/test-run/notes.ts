// What a test file's process tells its parent, one JSON text a line. Types only.

export type EndedNote = {
  kind: 'ended';
  isSuite: boolean;
  name: string;
  outcome: 'passed' | 'failed' | 'left out';
  /** Of a test that was left out; empty where it gave none. */
  reason?: string;
};

export type TestNote =
  | EndedNote
  /** No test has run for some seconds, and these things (Node's names for them) keep the process alive. */
  | { kind: 'open'; resources: string[] };
